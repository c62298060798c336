// .NET types of Windows alone, and the two that our scripts compile, for stand-in machines. What they know comes from the
// file that WIN_AUTOMATION_STAND_IN_STATE names.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;

namespace StandIn {
    public enum Enabled { True = 1, False = 2 }
    public enum Direction { Inbound = 1, Outbound = 2 }
    public enum RuleAction { NotConfigured = 0, Allow = 2, Block = 4 }
    [Flags] public enum Profile { Any = 0, Domain = 1, Private = 2, Public = 4, NotApplicable = 65536 }
    public enum TaskState { Unknown, Disabled, Queued, Ready, Running }
    public enum ServiceStatus { Stopped = 1, StartPending = 2, StopPending = 3, Running = 4, Paused = 7 }
    public enum StartMode { Boot, System, Automatic, Manual, Disabled }
    public enum TcpState { Closed = 1, Listen = 2, SynSent = 3, SynReceived = 4, Established = 5, TimeWait = 11, Bound = 100 }

    public static class State {
        public static JsonElement? Get(string name) {
            string path = Environment.GetEnvironmentVariable("WIN_AUTOMATION_STAND_IN_STATE");
            if (string.IsNullOrEmpty(path)) return null;
            using (JsonDocument document = JsonDocument.Parse(File.ReadAllText(path))) {
                return document.RootElement.TryGetProperty(name, out JsonElement value) ? value.Clone() : (JsonElement?)null;
            }
        }
    }

    public class SecurityIdentifier {
        public string Value { get; }
        public SecurityIdentifier(string value) {
            if (!value.StartsWith("S-1-", StringComparison.Ordinal)) throw new ArgumentException("The value is no SID.");
            Value = value;
        }
        // An account of a domain that can't be reached has no name.
        public SecurityIdentifier Translate(Type type) { return this; }
        public override string ToString() { return Value; }
    }

    public class WindowsIdentity {
        public string Name { get; private set; }
        public static WindowsIdentity GetCurrent() {
            JsonElement? user = State.Get("user");
            if (user == null) throw new UnauthorizedAccessException("Access is denied.");
            return new WindowsIdentity { Name = user.Value.GetString() };
        }
    }

    public class WindowsPrincipal {
        public WindowsPrincipal(WindowsIdentity identity) { }
        public bool IsInRole(object role) { return State.Get("is_admin")?.GetBoolean() ?? false; }
    }

    public class FileSystemAccessRule {
        public SecurityIdentifier IdentityReference { get; }
        public string FileSystemRights { get; }
        public string AccessControlType { get; }
        public bool IsInherited { get; set; }
        public FileSystemAccessRule(SecurityIdentifier who, string rights, string type) {
            IdentityReference = who; FileSystemRights = rights; AccessControlType = type;
        }
        public FileSystemAccessRule(SecurityIdentifier who, string rights, string inheritance, string propagation, string type)
            : this(who, rights, type) { }
    }

    public class FileSecurity {
        public bool AreAccessRulesProtected { get; private set; }
        public SecurityIdentifier Owner { get; private set; }
        public List<FileSystemAccessRule> Access { get; } = new List<FileSystemAccessRule>();
        public void SetAccessRuleProtection(bool isProtected, bool preserveInheritance) { AreAccessRulesProtected = isProtected; }
        public void AddAccessRule(FileSystemAccessRule rule) { Access.Add(rule); }
        public void SetOwner(SecurityIdentifier owner) { Owner = owner; }
        public SecurityIdentifier GetOwner(Type type) { return Owner; }
        public FileSystemAccessRule[] GetAccessRules(bool includeExplicit, bool includeInherited, Type type) {
            return Access.Where(rule => rule.IsInherited ? includeInherited : includeExplicit).ToArray();
        }
    }

    public class DirectorySecurity : FileSecurity { }

    public class ImageFormat { public static ImageFormat Png { get; } = new ImageFormat(); }

    public class Bitmap : IDisposable {
        public int Width { get; }
        public int Height { get; }
        public Bitmap(int width, int height) { Width = width; Height = height; }
        public void Save(string path, ImageFormat format) { File.WriteAllText(path, "picture of " + Width + "x" + Height); }
        public void Dispose() { }
    }

    public class Graphics : IDisposable {
        public static Graphics FromImage(Bitmap bitmap) { return new Graphics(); }
        public void CopyFromScreen(int x, int y, int toX, int toY, System.Drawing.Size size) { }
        public void Dispose() { }
    }
}

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
        public static List<Session> All() {
            JsonElement? sessions = StandIn.State.Get("sessions");
            if (sessions == null) throw new System.ComponentModel.Win32Exception(5);
            return sessions.Value.EnumerateArray().Select(one => new Session {
                Id = one.GetProperty("Id").GetInt32(),
                User = Text(one, "User"),
                Domain = Text(one, "Domain"),
                Station = Text(one, "Station"),
                State = one.GetProperty("State").GetInt32(),
                Flags = one.GetProperty("Flags").GetInt32(),
            }).ToList();
        }

        static string Text(JsonElement one, string name) {
            return one.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;
        }
    }

    public static class Desktop {
        public static int[] Area() { return State("desktop"); }

        static int[] State(string name) {
            JsonElement? area = StandIn.State.Get(name);
            return area == null ? new[] { 0, 0, 0, 0 } : area.Value.EnumerateArray().Select(one => one.GetInt32()).ToArray();
        }
    }
}
