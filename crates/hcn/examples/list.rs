// SPDX-License-Identifier: MIT OR Apache-2.0
//! `list RUNS ENDPOINTS`: lists all endpoints so many times through the typed client and prints how many microseconds each time took.
//!
//! Apart from the benchmarks because it runs under Wine beside the same program on hcsshim (`testing/interop/list`): see `cargo xtask
//! bench-windows`. Fails where there are not as many endpoints as it is told, so that no list is fast for being empty.

use std::{env, process::ExitCode, time::Instant};

use hcn::{Client, ConnectOptions, Target, connect, schema::Query};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let numbers: Vec<usize> = env::args()
        .skip(1)
        .filter_map(|word| word.parse().ok())
        .collect();
    let [runs, want] = numbers[..] else {
        return Err("list RUNS ENDPOINTS".to_owned());
    };
    let connection = connect(&Target::Native(None), ConnectOptions::default())
        .map_err(|error| format!("{}: {:?}", error.code, error.detail))?;
    let client = Client::new(connection.hns());
    for _ in 0..runs {
        let begin = Instant::now();
        let endpoints = client
            .endpoints(&Query::v2())
            .map_err(|error| format!("{}: {:?}", error.code, error.detail))?;
        let took = begin.elapsed();
        if endpoints.len() != want {
            return Err(format!(
                "there are {} endpoints and not {want}",
                endpoints.len()
            ));
        }
        println!("{}", took.as_micros());
    }
    Ok(())
}
