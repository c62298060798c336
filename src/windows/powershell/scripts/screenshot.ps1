# Saves the whole desktop, all screens of it, as PNG. Must run in the logged-on session: see interactive.ps1.
# Argument: {"path": "C:\\...\\shot.png"}
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
Add-Type -AssemblyName System.Drawing
if (-not ('WinAutomation.Desktop' -as [type])) {
    Add-Type -TypeDefinition @'
using System.Runtime.InteropServices;

namespace WinAutomation {
    public static class Desktop {
        // SM_XVIRTUALSCREEN, SM_YVIRTUALSCREEN, SM_CXVIRTUALSCREEN, SM_CYVIRTUALSCREEN
        const int FirstMetric = 76;

        [DllImport("user32.dll")]
        static extern bool SetProcessDPIAware();

        [DllImport("user32.dll")]
        static extern int GetSystemMetrics(int index);

        // Left, top, width and height in pixels. Without the first call Windows gives them scaled.
        public static int[] Area() {
            SetProcessDPIAware();
            int[] area = new int[4];
            for (int i = 0; i < 4; i++) { area[i] = GetSystemMetrics(FirstMetric + i); }
            return area;
        }
    }
}
'@
}
$left, $top, $width, $height = [WinAutomation.Desktop]::Area()
if ($width -le 0 -or $height -le 0) {
    throw 'this session has no desktop to take a picture of'
}
$bitmap = New-Object -TypeName Drawing.Bitmap -ArgumentList $width, $height
try {
    $graphics = [Drawing.Graphics]::FromImage($bitmap)
    try {
        $graphics.CopyFromScreen($left, $top, 0, 0, (New-Object -TypeName Drawing.Size -ArgumentList $width, $height))
    } finally {
        $graphics.Dispose()
    }
    $bitmap.Save([string]$request.path, [Drawing.Imaging.ImageFormat]::Png)
} finally {
    $bitmap.Dispose()
}
[ordered]@{ path = [string]$request.path; width = $width; height = $height } | ConvertTo-Json -Compress
