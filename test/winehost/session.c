/*
 * sshd-session.exe: what OpenSSH for Windows does for one session. Starts the default shell with the client's command, hands
 * on standard input, output and error, and ends with the shell's exit code.
 *
 * Takes two environment variables, and leaves none of them to the shell:
 *   SSH_ORIGINAL_COMMAND  the client's command; without it the shell is started alone
 *   SSH_DEFAULT_SHELL     cmd (where it is unset), powershell or pwsh
 *
 * Compiled with -DSHIM it is powershell.exe: it starts PowerShell 7 with its own arguments.
 *
 * The shell gets a console without a window: under Wine, PowerShell ends at once, silently and with 0, where it has none.
 */
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

#define PWSH L"C:\\Program Files\\PowerShell\\7\\pwsh.exe"
#define POWERSHELL L"C:\\windows\\system32\\WindowsPowerShell\\v1.0\\powershell.exe"
#define CMD L"C:\\windows\\system32\\cmd.exe"

/* The most that Windows takes, for a variable's value as well as for a command line. */
enum { MOST = 32767 };
/* Exit codes of our own, apart from those that shells use. */
enum { NO_MEMORY = 96, NOT_STARTED = 98 };

#ifdef SHIM

/* Our own command line behind the name of the program, which may stand in quotes. */
static const wchar_t *own_arguments(void)
{
    const wchar_t *at = GetCommandLineW();
    int is_quoted = 0;
    while (*at != 0 && (is_quoted || (*at != L' ' && *at != L'\t'))) {
        if (*at == L'"') is_quoted = !is_quoted;
        at++;
    }
    return at;
}

static void compose(wchar_t *line)
{
    wcscpy(line, L"\"" PWSH L"\"");
    wcsncat(line, own_arguments(), MOST);
}

#else

/* Adds a text, with a backslash before each double quote: as the shell's own parser of arguments wants it. */
static void append_escaped(wchar_t *line, const wchar_t *text)
{
    wchar_t *end = line + wcslen(line);
    for (; *text != 0; text++) {
        if (*text == L'"') *end++ = L'\\';
        *end++ = *text;
    }
    *end = 0;
}

static void compose(wchar_t *line)
{
    static wchar_t command[MOST + 1];
    wchar_t shell[32] = L"";
    int has_command = GetEnvironmentVariableW(L"SSH_ORIGINAL_COMMAND", command, MOST) > 0;
    GetEnvironmentVariableW(L"SSH_DEFAULT_SHELL", shell, 32);
    SetEnvironmentVariableW(L"SSH_ORIGINAL_COMMAND", NULL);
    SetEnvironmentVariableW(L"SSH_DEFAULT_SHELL", NULL);

    if (wcscmp(shell, L"powershell") == 0 || wcscmp(shell, L"pwsh") == 0) {
        wcscpy(line, wcscmp(shell, L"pwsh") == 0 ? L"\"" PWSH L"\"" : L"\"" POWERSHELL L"\"");
        if (!has_command) return;
        wcscat(line, L" -c \"");
        append_escaped(line, command);
        wcscat(line, L"\"");
        return;
    }
    wcscpy(line, CMD);
    if (!has_command) return;
    /* cmd.exe takes off the outer quotes itself and leaves those inside alone. */
    wcscat(line, L" /c \"");
    wcscat(line, command);
    wcscat(line, L"\"");
}

#endif

int wmain(void)
{
    const DWORD names[3] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
    HANDLE handles[3];
    STARTUPINFOW start = {.cb = sizeof start, .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION child;
    DWORD exit_code = NOT_STARTED;
    /* Every character of the command may be a quote, and is then two. */
    wchar_t *line = calloc(2 * MOST + 256, sizeof *line);
    if (line == NULL) return NO_MEMORY;
    compose(line);

    for (int i = 0; i < 3; i++) {
        handles[i] = GetStdHandle(names[i]);
        SetHandleInformation(handles[i], HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    }
    start.hStdInput = handles[0];
    start.hStdOutput = handles[1];
    start.hStdError = handles[2];
#ifdef SHIM
    DWORD flags = 0;
#else
    DWORD flags = CREATE_NO_WINDOW;
#endif
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, flags, NULL, NULL, &start, &child)) return NOT_STARTED;
    /* Else the client would wait for the end of streams that only we still hold. */
    for (int i = 0; i < 3; i++) CloseHandle(handles[i]);
    WaitForSingleObject(child.hProcess, INFINITE);
    GetExitCodeProcess(child.hProcess, &exit_code);
    /* No clean-up of the runtime's, which would look for the handles that are closed. */
    ExitProcess(exit_code);
}
