// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arguments of `apply`, `plan` and `confirm`; apart from the rest of the command line for their number. As there, doc comments are help texts.

use std::{path::PathBuf, str::FromStr, time::Duration};

use clap::Args;

use super::ProbeOutput;

/// What is to be planned or applied.
#[derive(Debug, Args)]
pub struct PolicySource {
    /// The policy file (docs/apply.md); - reads standard input.
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Take away all rules of the policy of this name, from every endpoint that has some.
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    pub remove: Option<String>,
    /// Fail with exit code 1, and send nothing, where any flow would become allowed that is blocked now.
    #[arg(long)]
    pub expect_no_new_access: bool,
    /// How to print; json as docs/schema/plan.json says.
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: ProbeOutput,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 planned, also where there is nothing to do; 1 refused by --expect-no-new-access; 2 a mistake in the file; 3 a name that means nothing."
)]
pub struct PlanArgs {
    #[command(flatten)]
    pub source: PolicySource,
    /// Print the requests in full too.
    #[arg(long)]
    pub requests: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 done, also where nothing was to be done; 1 refused by --expect-no-new-access, or taken back as nobody confirmed it; 2 a mistake in the file; 3 a name that means nothing; 4 HNS failed, and what was done is taken back."
)]
pub struct ApplyArgs {
    #[command(flatten)]
    pub source: PolicySource,
    /// Take the change back unless it is confirmed within this time, e.g. 60s or 5m: by Enter on a terminal, or by hcnctl confirm NAME.
    #[arg(long, value_name = "TIME")]
    pub confirm_within: Option<Wait>,
    /// Take back what applies of any policy left that were killed before they were done or confirmed, and do nothing else.
    #[arg(long, conflicts_with_all = ["file", "remove", "confirm_within", "expect_no_new_access", "discard"])]
    pub recover: bool,
    /// Forget what an apply of the policy of this name left, where it cannot be taken back, and do nothing else: the endpoints stay as they are.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["file", "remove", "confirm_within", "expect_no_new_access"])]
    pub discard: Option<String>,
    /// Wait beside an apply, and take its change back where it does not come to do so itself.
    #[arg(long, hide = true, value_name = "NAME")]
    pub guard: Option<String>,
}

#[derive(Debug, Args)]
pub struct ConfirmArgs {
    /// Name of the policy; may be left out where one apply waits.
    pub name: Option<String>,
}

/// A time to wait: `60s`, `5m`, `1h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait(pub Duration);

impl FromStr for Wait {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no time to wait; write 60s, 5m or 1h, at most 24h");
        let digits = text.trim_end_matches(|one: char| one.is_ascii_alphabetic());
        let unit = match &text[digits.len()..] {
            "s" | "" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return Err(wrong()),
        };
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        match number.checked_mul(unit) {
            Some(seconds @ 1..=86_400) => Ok(Wait(Duration::from_secs(seconds))),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_to_wait_have_a_unit_and_an_end() {
        let seconds = |text: &str| text.parse::<Wait>().map(|wait| wait.0.as_secs()).ok();
        assert_eq!(seconds("60s"), Some(60));
        assert_eq!(seconds("5m"), Some(300));
        assert_eq!(seconds("24h"), Some(86_400));
        assert_eq!(seconds("90"), Some(90));
        for text in [
            "",
            "s",
            "0s",
            "-1s",
            "25h",
            "1d",
            "1.5m",
            "99999999999999999999h",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
