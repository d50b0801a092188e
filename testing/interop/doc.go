// SPDX-License-Identifier: MIT OR Apache-2.0

// Package interop holds programs that nobody here wrote, run against our libraries under Wine.
//
// Apart from the workspace because they are Go. They are built for Windows from modules whose versions go.mod pins, unchanged, and load
// computenetwork.dll and vmcompute.dll as they would on Windows: from system32. Run by `cargo xtask interop`, which builds the libraries
// and the Wine prefix and names both in the environment. A state directory belongs to one test.
package interop
