# Saves the whole desktop as PNG. Must run in the logged-on session: see interactive.ps1.
# Argument: {"path": "C:\\...\\shot.png"}
# Sizes come from GetSystemMetrics (learn.microsoft.com: SM_XVIRTUALSCREEN is 76, then y, width and height of all screens
# together), after the process said that it knows of scaled screens: others are told scaled-down sizes.
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
Add-Type -AssemblyName System.Drawing
if (-not ('WinAutomation.Screen' -as [type])) {
    Add-Type -TypeDefinition @'
using System.Runtime.InteropServices;

namespace WinAutomation {
    public static class Screen {
        [DllImport("user32.dll")]
        public static extern bool SetProcessDPIAware();

        [DllImport("user32.dll")]
        public static extern int GetSystemMetrics(int index);
    }
}
'@
}
[void][WinAutomation.Screen]::SetProcessDPIAware()
$left, $top, $width, $height = 76, 77, 78, 79 | ForEach-Object { [WinAutomation.Screen]::GetSystemMetrics($_) }
$bitmap = New-Object -TypeName Drawing.Bitmap -ArgumentList $width, $height
try {
    $graphics = [Drawing.Graphics]::FromImage($bitmap)
    try {
        $graphics.CopyFromScreen($left, $top, 0, 0, $bitmap.Size)
    } finally {
        $graphics.Dispose()
    }
    $bitmap.Save([string]$request.path, [Drawing.Imaging.ImageFormat]::Png)
} finally {
    $bitmap.Dispose()
}
[ordered]@{ path = [string]$request.path; width = $width; height = $height } | ConvertTo-Json -Compress
