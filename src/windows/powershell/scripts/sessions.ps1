# The sessions on this machine: who, connected or not, locked or not. Changes nothing.
# Argument: {}
# Lock state: WTSQuerySessionInformation with WTSSessionInfoEx (learn.microsoft.com, WTSINFOEX_LEVEL1_W). It speaks of the
# very session; a LogonUI process only says that some session shows a logon screen.
param([string]$Argument)

if (-not ('WinAutomation.Sessions' -as [type])) {
    Add-Type -TypeDefinition @'
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace WinAutomation {
    public class Session {
        public int Id;
        public string User;
        public string Domain;
        public string Station;
        public int State;
        public int Flags;
    }

    public static class Sessions {
        const int UserName = 5;
        const int DomainName = 7;
        const int SessionInfoEx = 25;
        // WTSINFOEX: a level of 4 bytes, padded to 8; then session id, state and flags, 4 bytes each.
        const int FlagsOffset = 16;

        [StructLayout(LayoutKind.Sequential, CharSet = CharSet.Unicode)]
        struct Entry {
            public int Id;
            [MarshalAs(UnmanagedType.LPWStr)] public string Station;
            public int State;
        }

        [DllImport("wtsapi32.dll", CharSet = CharSet.Unicode, SetLastError = true)]
        static extern bool WTSEnumerateSessionsW(IntPtr server, int reserved, int version, out IntPtr entries, out int count);

        [DllImport("wtsapi32.dll", CharSet = CharSet.Unicode, SetLastError = true)]
        static extern bool WTSQuerySessionInformationW(IntPtr server, int id, int kind, out IntPtr buffer, out int bytes);

        [DllImport("wtsapi32.dll")]
        static extern void WTSFreeMemory(IntPtr memory);

        static string Text(int id, int kind) {
            IntPtr buffer;
            int bytes;
            if (!WTSQuerySessionInformationW(IntPtr.Zero, id, kind, out buffer, out bytes)) { return ""; }
            try { return Marshal.PtrToStringUni(buffer) ?? ""; } finally { WTSFreeMemory(buffer); }
        }

        static int Flags(int id) {
            IntPtr buffer;
            int bytes;
            if (!WTSQuerySessionInformationW(IntPtr.Zero, id, SessionInfoEx, out buffer, out bytes)) { return -1; }
            try { return bytes < FlagsOffset + 4 ? -1 : Marshal.ReadInt32(buffer, FlagsOffset); } finally { WTSFreeMemory(buffer); }
        }

        public static List<Session> All() {
            IntPtr entries;
            int count;
            if (!WTSEnumerateSessionsW(IntPtr.Zero, 0, 1, out entries, out count)) {
                throw new System.ComponentModel.Win32Exception();
            }
            try {
                List<Session> found = new List<Session>();
                int size = Marshal.SizeOf(typeof(Entry));
                for (int i = 0; i < count; i++) {
                    Entry entry = (Entry)Marshal.PtrToStructure(new IntPtr(entries.ToInt64() + (long)i * size), typeof(Entry));
                    Session session = new Session();
                    session.Id = entry.Id;
                    session.Station = entry.Station;
                    session.State = entry.State;
                    session.User = Text(entry.Id, UserName);
                    session.Domain = Text(entry.Id, DomainName);
                    session.Flags = Flags(entry.Id);
                    found.Add(session);
                }
                return found;
            } finally { WTSFreeMemory(entries); }
        }
    }
}
'@
}

$states = @('Active', 'Connected', 'ConnectQuery', 'Shadow', 'Disc', 'Idle', 'Listen', 'Reset', 'Down', 'Init')
# Windows 7 and Server 2008 R2 have the two flags the wrong way round.
$lockedFlag = 0
if ([Environment]::OSVersion.Version -lt [Version]'6.2') {
    $lockedFlag = 1
}
$sessions = foreach ($session in [WinAutomation.Sessions]::All()) {
    if (-not $session.User) {
        continue
    }
    $state = "State $($session.State)"
    if ($session.State -ge 0 -and $session.State -lt $states.Count) {
        $state = $states[$session.State]
    }
    [ordered]@{
        id = $session.Id
        user = $session.User
        domain = [string]$session.Domain
        station = [string]$session.Station
        state = $state
        locked = ($session.Flags -eq $lockedFlag)
        lock_known = ($session.Flags -eq 0 -or $session.Flags -eq 1)
    }
}
[ordered]@{ sessions = @($sessions) } | ConvertTo-Json -Compress -Depth 4
