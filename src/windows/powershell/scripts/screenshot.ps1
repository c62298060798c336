# Saves the whole desktop as PNG. Must run in the logged-on session: see interactive.ps1.
# Argument: {"path": "C:\\...\\shot.png"}
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
Add-Type -AssemblyName System.Windows.Forms
Add-Type -AssemblyName System.Drawing
$area = [Windows.Forms.SystemInformation]::VirtualScreen
$bitmap = New-Object -TypeName Drawing.Bitmap -ArgumentList $area.Width, $area.Height
try {
    $graphics = [Drawing.Graphics]::FromImage($bitmap)
    try {
        $graphics.CopyFromScreen($area.Location, [Drawing.Point]::Empty, $area.Size)
    } finally {
        $graphics.Dispose()
    }
    $bitmap.Save([string]$request.path, [Drawing.Imaging.ImageFormat]::Png)
} finally {
    $bitmap.Dispose()
}
[ordered]@{ path = [string]$request.path; width = $area.Width; height = $area.Height } | ConvertTo-Json -Compress
