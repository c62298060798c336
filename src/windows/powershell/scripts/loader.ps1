# Runs the text that stands at the start of standard input, so many bytes of base64. No byte more is read: what follows is the
# text's own input, or that of the programs that it starts. It must not say $input: PowerShell would read all of it.
. ([ScriptBlock]::Create((& {
    $stream = [Console]::OpenStandardInput()
    $bytes = New-Object -TypeName byte[] -ArgumentList __SIZE__
    $done = 0
    while ($done -lt $bytes.Length) {
        $count = $stream.Read($bytes, $done, $bytes.Length - $done)
        if ($count -le 0) {
            throw 'standard input ended before all of the text was there'
        }
        $done += $count
    }
    [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String([Text.Encoding]::ASCII.GetString($bytes)))
})))
