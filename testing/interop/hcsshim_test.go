// SPDX-License-Identifier: MIT OR Apache-2.0

package interop

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

const hcnPackage = "github.com/Microsoft/hcsshim/hcn"

// endOfTest is a line of `go test -v` that says how a test ended.
var endOfTest = regexp.MustCompile(`^\s*--- (PASS|FAIL|SKIP): (\S+) \(`)

// suite is one run of a test program: how each test ended, and all that was printed.
type suite struct {
	ends   map[string]string
	order  []string
	output string
	code   int
}

// suiteVersion is a version of HNS that has every feature which the tests use. 15.4 would be enough, but there a changed load balancer
// stays as it was (kubernetes/kubernetes#131466).
const suiteVersion = "16.0"

// runSuite runs a test program of Go under Wine.
func (h host) runSuite(program string) suite {
	h.t.Helper()
	command := h.wine(program, "-test.v", "-test.timeout=5m")
	command.Env = append(command.Env, "HCNCTL_PROFILE="+suiteVersion)
	end := h.finish(command)
	found := suite{ends: map[string]string{}, output: end.stdout + end.stderr, code: end.code}
	for line := range strings.SplitSeq(end.stdout, "\n") {
		if match := endOfTest.FindStringSubmatch(line); match != nil {
			found.ends[match[2]] = match[1]
			found.order = append(found.order, match[2])
		}
	}
	return found
}

// of is what was printed between the start and the end of a test.
func (s suite) of(test string) string {
	_, rest, _ := strings.Cut(s.output, "=== RUN   "+test+"\n")
	before, _, _ := strings.Cut(rest, "=== RUN ")
	return before
}

// report makes each test of the suite one of ours. A test that fails as expected is a skip with its reason, so that it is counted.
func (s suite) report(t *testing.T, expected map[string]string) {
	t.Helper()
	for _, name := range s.order {
		t.Run(name, func(t *testing.T) {
			why, expectedToFail := expected[name]
			switch end := s.ends[name]; {
			case end == "SKIP":
				t.Skip(s.of(name))
			case end == "FAIL" && expectedToFail:
				t.Skip("fails as expected: " + why)
			case end == "FAIL":
				t.Error(s.of(name))
			case expectedToFail:
				t.Errorf("passes, and expected-failures.txt says that it does not: %s", why)
			}
		})
	}
	for name := range expected {
		if _, ran := s.ends[name]; !ran {
			t.Errorf("expected-failures.txt names %s, which did not run", name)
		}
	}
	if s.code != 0 && len(expected) == 0 && !t.Failed() {
		t.Errorf("the program ended with code %d:\n%s", s.code, s.output)
	}
}

// expectedFailures reads "TestName: why Windows itself fails it", one a line.
func expectedFailures(t *testing.T) map[string]string {
	t.Helper()
	file, err := os.Open("expected-failures.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	expected := map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, why, found := strings.Cut(line, ": ")
		if !found || why == "" {
			t.Fatalf("expected-failures.txt: %q gives no reason", line)
		}
		expected[name] = why
	}
	return expected
}

// declared counts the tests that the sources of a package declare.
func declared(t *testing.T, folder string) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	head := regexp.MustCompile(`(?m)^func Test(Main)?.*\(t \*testing\.T\)`)
	count := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		count += len(head.FindAll(text, -1))
	}
	return count
}

// hcnFolder is where the sources of hcsshim's package hcn are.
func hcnFolder(t *testing.T) string {
	t.Helper()
	command := exec.Command("go", "list", "-f", "{{.Dir}}", hcnPackage)
	command.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64")
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(output))
}

func hcnTests(t *testing.T) string {
	t.Helper()
	return goBuild(t, "hcn.test.exe", "test", "-c", "-tags=integration", hcnPackage)
}

// The tests of hcsshim's package hcn, which its authors run on Windows hosts, pass on our libraries.
func TestHcsshim(t *testing.T) {
	program := hcnTests(t)
	run := newHost(t).runSuite(program)
	ended := 0
	for _, name := range run.order {
		// Parts of a test are not declared.
		if !strings.Contains(name, "/") {
			ended++
		}
	}
	if want := declared(t, hcnFolder(t)); ended < want {
		t.Errorf("%d tests ended and %d are declared:\n%s", ended, want, run.output)
	}
	run.report(t, expectedFailures(t))
}

// Two runs at once on one store do not disturb one another. The second has other names, subnets, host ports and virtual addresses: what
// a host has once, Windows too gives to one of two.
func TestHcsshimTwice(t *testing.T) {
	first, second := hcnTests(t), twin(t)
	shared := newHost(t)
	var runs [2]suite
	var group sync.WaitGroup
	for index, program := range []string{first, second} {
		group.Go(func() { runs[index] = shared.runSuite(program) })
	}
	group.Wait()
	expected, want := expectedFailures(t), declared(t, hcnFolder(t))
	for index, name := range []string{"first", "second"} {
		t.Run(name, func(t *testing.T) {
			if len(runs[index].order) < want {
				t.Errorf("%d tests ended and %d are declared:\n%s", len(runs[index].order), want, runs[index].output)
			}
			runs[index].report(t, expected)
		})
	}
}

// twin builds the same tests with other names, subnets, host ports and virtual addresses, from a copy of the module.
func twin(t *testing.T) string {
	t.Helper()
	names := strings.NewReplacer(`"GoTest`, `"GoTwin`, "192.168.100.", "192.168.101.", "56789", "56790", `"1.1.1.`, `"1.1.2.`)
	folder := t.TempDir()
	module := filepath.Join(folder, "hcsshim")
	if err := os.CopyFS(module, os.DirFS(filepath.Dir(hcnFolder(t)))); err != nil {
		t.Fatal(err)
	}
	sources, err := filepath.Glob(filepath.Join(module, "hcn", "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		rewrite(t, source, source, names.Replace)
	}
	modfile := filepath.Join(folder, "go.mod")
	rewrite(t, "go.mod", modfile, func(text string) string {
		return text + "\nreplace github.com/Microsoft/hcsshim => " + module + "\n"
	})
	rewrite(t, "go.sum", filepath.Join(folder, "go.sum"), func(text string) string { return text })
	return goBuild(t, "hcn-twin.test.exe", "test", "-c", "-tags=integration", "-modfile="+modfile, hcnPackage)
}

// rewrite writes what becomes of the text of a file.
func rewrite(t *testing.T, from, to string, replace func(string) string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	// A file of the module cache, and its copy, may only be read.
	if err := os.Remove(to); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, []byte(replace(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
}
