using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace Winehost {
    /// <summary>What Windows knows of a process.</summary>
    public class ProcessRow {
        public int Id;
        public int ParentId;
        public string Name;
        public string Path;
        public string CommandLine;
        public int SessionId;
        public DateTime? Started;
        /// <summary>SSH_CONNECTION in its environment: the connection on which it was started.</summary>
        public string Connection;
    }

    public class TcpRow {
        public string LocalAddress;
        public int LocalPort;
        public string RemoteAddress;
        public int RemotePort;
        public int State;
        public int OwningProcess;
    }

    public static class Native {
        const int QueryAndRead = 0x0400 | 0x0010;
        const int Terminate = 0x0001;
        const int DuplicateInto = 0x0040;
        const int StillActive = 259;
        const int CreateNoWindow = 0x08000000;
        const int UnicodeEnvironment = 0x00000400;

        [StructLayout(LayoutKind.Sequential, CharSet = CharSet.Unicode)]
        struct Entry {
            public int Size;
            public int Usage;
            public int ProcessId;
            public IntPtr Heap;
            public int ModuleId;
            public int Threads;
            public int ParentId;
            public int Priority;
            public int Flags;
            [MarshalAs(UnmanagedType.ByValTStr, SizeConst = 260)] public string Name;
        }

        [StructLayout(LayoutKind.Sequential)]
        struct BasicInformation {
            public IntPtr ExitStatus;
            public IntPtr Peb;
            public IntPtr Affinity;
            public IntPtr Priority;
            public IntPtr Id;
            public IntPtr ParentId;
        }

        [StructLayout(LayoutKind.Sequential, CharSet = CharSet.Unicode)]
        struct StartupInfo {
            public int Size;
            public string Reserved;
            public string Desktop;
            public string Title;
            public int X, Y, XSize, YSize, XChars, YChars, Fill, Flags;
            public short ShowWindow, Reserved2Size;
            public IntPtr Reserved2, Input, Output, Error;
        }

        [StructLayout(LayoutKind.Sequential)]
        struct ProcessInformation {
            public IntPtr Process;
            public IntPtr Thread;
            public int ProcessId;
            public int ThreadId;
        }

        [DllImport("kernel32.dll", SetLastError = true)]
        static extern IntPtr CreateToolhelp32Snapshot(int flags, int processId);
        [DllImport("kernel32.dll", CharSet = CharSet.Unicode)]
        static extern bool Process32FirstW(IntPtr snapshot, ref Entry entry);
        [DllImport("kernel32.dll", CharSet = CharSet.Unicode)]
        static extern bool Process32NextW(IntPtr snapshot, ref Entry entry);
        [DllImport("kernel32.dll", SetLastError = true)]
        static extern IntPtr OpenProcess(int access, bool inherit, int processId);
        [DllImport("kernel32.dll")]
        static extern bool CloseHandle(IntPtr handle);
        [DllImport("kernel32.dll", SetLastError = true)]
        static extern bool GetProcessTimes(IntPtr process, out long created, out long exited, out long kernel, out long user);
        [DllImport("kernel32.dll", CharSet = CharSet.Unicode, SetLastError = true)]
        static extern bool QueryFullProcessImageNameW(IntPtr process, int flags, StringBuilder name, ref int size);
        [DllImport("kernel32.dll")]
        static extern bool ProcessIdToSessionId(int processId, out int sessionId);
        [DllImport("kernel32.dll", SetLastError = true)]
        static extern bool ReadProcessMemory(IntPtr process, IntPtr address, byte[] buffer, IntPtr size, out IntPtr read);
        [DllImport("ntdll.dll")]
        static extern int NtQueryInformationProcess(IntPtr process, int kind, ref BasicInformation into, int size, out int written);
        [DllImport("kernel32.dll", SetLastError = true)]
        static extern bool GetExitCodeProcess(IntPtr process, out int code);
        [DllImport("kernel32.dll", SetLastError = true)]
        static extern bool TerminateProcess(IntPtr process, int code);
        [DllImport("kernel32.dll", SetLastError = true)]
        static extern bool DuplicateHandle(IntPtr from, IntPtr handle, IntPtr into, out IntPtr duplicate, int access, bool inherit, int options);
        [DllImport("kernel32.dll", CharSet = CharSet.Unicode, SetLastError = true)]
        static extern bool CreateProcessW(string program, StringBuilder commandLine, IntPtr a, IntPtr b, bool inherit, int flags,
            IntPtr environment, string folder, ref StartupInfo start, out ProcessInformation process);
        [DllImport("iphlpapi.dll")]
        static extern int GetExtendedTcpTable(IntPtr table, ref int size, bool sorted, int family, int kind, int reserved);
        [DllImport("kernel32.dll", CharSet = CharSet.Unicode, SetLastError = true)]
        static extern IntPtr CreateFileW(string path, int access, int share, IntPtr security, int how, int flags, IntPtr template);
        [DllImport("kernel32.dll", SetLastError = true)]
        static extern bool GetFileInformationByHandle(IntPtr file, byte[] into);

        public static List<ProcessRow> Processes() {
            List<ProcessRow> rows = new List<ProcessRow>();
            IntPtr snapshot = CreateToolhelp32Snapshot(2, 0);
            if (snapshot == new IntPtr(-1)) { throw new Win32Exception(); }
            try {
                Entry entry = new Entry();
                entry.Size = Marshal.SizeOf(typeof(Entry));
                for (bool more = Process32FirstW(snapshot, ref entry); more; more = Process32NextW(snapshot, ref entry)) {
                    ProcessRow row = new ProcessRow();
                    row.Id = entry.ProcessId;
                    row.ParentId = entry.ParentId;
                    row.Name = entry.Name;
                    ProcessIdToSessionId(row.Id, out row.SessionId);
                    AddDetails(row);
                    rows.Add(row);
                }
            } finally { CloseHandle(snapshot); }
            return rows;
        }

        static void AddDetails(ProcessRow row) {
            IntPtr process = OpenProcess(QueryAndRead, false, row.Id);
            if (process == IntPtr.Zero) { return; }
            try {
                long created, other;
                if (GetProcessTimes(process, out created, out other, out other, out other)) { row.Started = DateTime.FromFileTime(created); }
                StringBuilder path = new StringBuilder(1024);
                int size = path.Capacity;
                if (QueryFullProcessImageNameW(process, 0, path, ref size)) { row.Path = path.ToString(); }
                BasicInformation basic = new BasicInformation();
                int written;
                if (NtQueryInformationProcess(process, 0, ref basic, Marshal.SizeOf(typeof(BasicInformation)), out written) != 0) { return; }
                // Offsets of 64 bits: PEB.ProcessParameters, and in it CommandLine, Environment and EnvironmentSize.
                IntPtr parameters = ReadPointer(process, basic.Peb, 0x20);
                if (parameters == IntPtr.Zero) { return; }
                byte[] length = Read(process, parameters, 0x70, 2);
                if (length == null) { return; }
                row.CommandLine = ReadText(process, ReadPointer(process, parameters, 0x78), BitConverter.ToUInt16(length, 0));
                byte[] environmentSize = Read(process, parameters, 0x3f0, 8);
                if (environmentSize == null) { return; }
                string environment = ReadText(process, ReadPointer(process, parameters, 0x80), (int)BitConverter.ToInt64(environmentSize, 0)) ?? "";
                foreach (string variable in environment.Split('\0')) {
                    if (variable.StartsWith("SSH_CONNECTION=", StringComparison.Ordinal)) { row.Connection = variable.Substring(15); }
                }
            } finally { CloseHandle(process); }
        }

        static byte[] Read(IntPtr process, IntPtr address, int offset, int size) {
            byte[] buffer = new byte[size];
            IntPtr read;
            return ReadProcessMemory(process, new IntPtr(address.ToInt64() + offset), buffer, new IntPtr(size), out read) ? buffer : null;
        }

        static IntPtr ReadPointer(IntPtr process, IntPtr address, int offset) {
            byte[] pointer = Read(process, address, offset, 8);
            return pointer == null ? IntPtr.Zero : new IntPtr(BitConverter.ToInt64(pointer, 0));
        }

        static string ReadText(IntPtr process, IntPtr address, int bytes) {
            if (address == IntPtr.Zero || bytes <= 0 || bytes > 1 << 20) { return null; }
            byte[] text = Read(process, address, 0, bytes);
            return text == null ? null : Encoding.Unicode.GetString(text);
        }

        /// <summary>Starts a program that lives on without us and holds none of our streams.</summary>
        /// <param name="keeper">A process that keeps a handle of it, so that its exit code can still be asked for.</param>
        public static int Start(string commandLine, string folder, int keeper) {
            StartupInfo start = new StartupInfo();
            start.Size = Marshal.SizeOf(typeof(StartupInfo));
            ProcessInformation started;
            // Without a console, PowerShell ends at once under Wine.
            if (!CreateProcessW(null, new StringBuilder(commandLine), IntPtr.Zero, IntPtr.Zero, false, CreateNoWindow | UnicodeEnvironment,
                IntPtr.Zero, string.IsNullOrEmpty(folder) ? null : folder, ref start, out started)) { throw new Win32Exception(); }
            CloseHandle(started.Thread);
            IntPtr into = OpenProcess(DuplicateInto, false, keeper);
            try {
                IntPtr kept;
                if (into == IntPtr.Zero || !DuplicateHandle(new IntPtr(-1), started.Process, into, out kept, 0, false, 2)) { throw new Win32Exception(); }
            } finally {
                CloseHandle(into);
                CloseHandle(started.Process);
            }
            return started.ProcessId;
        }

        /// <summary>The exit code of a process that somebody keeps, or null while it runs.</summary>
        public static int? ExitCode(int processId) {
            IntPtr process = OpenProcess(QueryAndRead, false, processId);
            if (process == IntPtr.Zero) { throw new Win32Exception(); }
            try {
                int code;
                if (!GetExitCodeProcess(process, out code)) { throw new Win32Exception(); }
                return code == StillActive ? (int?)null : code;
            } finally { CloseHandle(process); }
        }

        public static void End(int processId) {
            IntPtr process = OpenProcess(Terminate, false, processId);
            if (process == IntPtr.Zero) { return; }
            TerminateProcess(process, 1);
            CloseHandle(process);
        }

        /// <summary>TCP over IPv4 and IPv6.</summary>
        public static List<TcpRow> Tcp() {
            List<TcpRow> rows = new List<TcpRow>();
            AddTcp(rows, 2);
            AddTcp(rows, 23);
            return rows;
        }

        static void AddTcp(List<TcpRow> rows, int family) {
            int size = 0;
            GetExtendedTcpTable(IntPtr.Zero, ref size, true, family, 5, 0);
            if (size == 0) { return; }
            // Some may come in between.
            size += 4096;
            IntPtr table = Marshal.AllocHGlobal(size);
            try {
                int error = GetExtendedTcpTable(table, ref size, true, family, 5, 0);
                if (error != 0) { throw new Win32Exception(error); }
                int width = family == 2 ? 24 : 56;
                for (int i = 0; i < Marshal.ReadInt32(table); i++) { rows.Add(Row(new IntPtr(table.ToInt64() + 4 + (long)i * width), family == 2)); }
            } finally { Marshal.FreeHGlobal(table); }
        }

        static TcpRow Row(IntPtr at, bool isV4) {
            TcpRow row = new TcpRow();
            row.LocalAddress = Address(at, isV4 ? 4 : 0, isV4 ? 4 : 16);
            row.LocalPort = Port(at, isV4 ? 8 : 20);
            row.RemoteAddress = Address(at, isV4 ? 12 : 24, isV4 ? 4 : 16);
            row.RemotePort = Port(at, isV4 ? 16 : 44);
            row.State = Marshal.ReadInt32(at, isV4 ? 0 : 48);
            row.OwningProcess = Marshal.ReadInt32(at, isV4 ? 20 : 52);
            return row;
        }

        static string Address(IntPtr at, int offset, int bytes) {
            byte[] address = new byte[bytes];
            Marshal.Copy(new IntPtr(at.ToInt64() + offset), address, 0, bytes);
            return new System.Net.IPAddress(address).ToString();
        }

        static int Port(IntPtr at, int offset) {
            return Marshal.ReadByte(at, offset) << 8 | Marshal.ReadByte(at, offset + 1);
        }

        /// <summary>What a file or folder keeps when it is renamed: volume and index.</summary>
        public static string FileId(string path) {
            IntPtr file = CreateFileW(path, 0, 7, IntPtr.Zero, 3, 0x02000000, IntPtr.Zero);
            if (file == new IntPtr(-1)) { throw new Win32Exception(); }
            try {
                byte[] found = new byte[52];
                if (!GetFileInformationByHandle(file, found)) { throw new Win32Exception(); }
                return BitConverter.ToUInt32(found, 28).ToString("x8") + BitConverter.ToUInt32(found, 44).ToString("x8") + BitConverter.ToUInt32(found, 48).ToString("x8");
            } finally { CloseHandle(file); }
        }
    }
}
