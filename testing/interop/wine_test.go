// SPDX-License-Identifier: MIT OR Apache-2.0

package interop

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// built is the folder of the Windows programs that this package builds.
var built string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	for _, name := range []string{"WINE", "WINEPREFIX", "HCNCTL_WINDOWS_PROGRAMS"} {
		if os.Getenv(name) == "" {
			fmt.Fprintf(os.Stderr, "%s is not set: run `cargo xtask interop`\n", name)
			return 1
		}
	}
	folder, err := filepath.Abs("../../target/interop")
	if err == nil {
		err = os.MkdirAll(folder, 0o755)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	built = folder
	stop, err := keepAwake()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer stop()
	return m.Run()
}

// keepAwake holds a Windows program open that waits for input: while one runs, the next starts five times as fast. It returns when the program
// has said something, since the first one starts Wine's services, which keep its output open for as long as they live.
func keepAwake() (stop func(), err error) {
	command := exec.Command(os.Getenv("WINE"), "cmd.exe")
	input, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	if _, err := output.Read(make([]byte, 1)); err != nil {
		return nil, fmt.Errorf("cmd.exe says nothing: %w", err)
	}
	return func() {
		input.Close()
		_ = command.Wait()
	}, nil
}

// goBuild runs a verb of go for Windows and returns the program that came of it.
func goBuild(t *testing.T, name string, arguments ...string) string {
	t.Helper()
	program := filepath.Join(built, name)
	command := exec.Command("go", append(arguments[:len(arguments)-1:len(arguments)-1], "-o", program, arguments[len(arguments)-1])...)
	command.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command.Args, " "), err, output)
	}
	return program
}

// host is an HNS of the test's own: a state directory in the Wine prefix.
type host struct {
	t     *testing.T
	state string
}

// newHost makes an empty state directory.
func newHost(t *testing.T) host {
	t.Helper()
	name := strings.NewReplacer("/", "-", "#", "-").Replace(t.Name())
	folder := filepath.Join(drive(), "interop", name)
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	return host{t: t, state: `C:\interop\` + name}
}

// drive is what programs know as C:.
func drive() string {
	return filepath.Join(os.Getenv("WINEPREFIX"), "drive_c")
}

// folder is the state directory as Linux knows it.
func (h host) folder() string {
	return filepath.Join(drive(), "interop", filepath.Base(strings.ReplaceAll(h.state, `\`, "/")))
}

// ended is how a program ended.
type ended struct {
	code   int
	stdout string
	stderr string
}

// wine is a Windows program that finds this host's HNS behind the libraries.
func (h host) wine(program string, arguments ...string) *exec.Cmd {
	command := exec.Command(os.Getenv("WINE"), append([]string{program}, arguments...)...)
	command.Env = append(os.Environ(), "HCNCTL_STATE="+h.state)
	return command
}

// finish runs a command to its end.
func (h host) finish(command *exec.Cmd) ended {
	h.t.Helper()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	// Somebody else may have inherited the output, and would be waited for.
	command.WaitDelay = time.Minute
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		h.t.Fatalf("%s: %v", strings.Join(command.Args, " "), err)
	}
	// Windows programs end their lines with two characters.
	return ended{
		code:   command.ProcessState.ExitCode(),
		stdout: strings.ReplaceAll(stdout.String(), "\r\n", "\n"),
		stderr: strings.ReplaceAll(stderr.String(), "\r\n", "\n"),
	}
}

// good runs a program that has to end well and returns what it printed.
func (h host) good(program string, arguments ...string) string {
	h.t.Helper()
	end := h.finish(h.wine(program, arguments...))
	if end.code != 0 {
		h.t.Fatalf("%s %s: exit code %d\n%s%s", filepath.Base(program), strings.Join(arguments, " "), end.code, end.stdout, end.stderr)
	}
	return end.stdout
}

// hcnctl runs our own program, which asks the same HNS without the libraries.
func (h host) hcnctl(arguments ...string) string {
	h.t.Helper()
	return h.good(hcnctlProgram(), arguments...)
}

func hcnctlProgram() string {
	return filepath.Join(os.Getenv("HCNCTL_WINDOWS_PROGRAMS"), "hcnctl.exe")
}

// probe tries whether traffic gets through.
func (h host) probe(from, to string) probed {
	h.t.Helper()
	end := h.finish(h.wine(hcnctlProgram(), "probe", from, to, "-o", "json"))
	if end.code != 0 && end.code != 1 {
		h.t.Fatalf("probe %s %s: exit code %d\n%s%s", from, to, end.code, end.stdout, end.stderr)
	}
	var answer probed
	if err := json.Unmarshal([]byte(end.stdout), &answer); err != nil {
		h.t.Fatalf("probe %s %s: %v\n%s", from, to, err, end.stdout)
	}
	return answer
}

// documents lists what HNS has of a kind, version 2.
func (h host) documents(kind string) []map[string]any {
	h.t.Helper()
	var list []map[string]any
	text := h.hcnctl("get", kind, "-o", "json")
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		h.t.Fatalf("%v in %s", err, text)
	}
	return list
}
