#[path = "../benches/workload.rs"]
mod workload;
use hcn_engine::*;
use hcn_engine::classifier::*;
use std::time::Instant;
use std::hint::black_box;
fn best(name: &str, n: usize, mut f: impl FnMut()) {
    let mut best = f64::MAX;
    for _ in 0..reps() { let t = Instant::now(); f(); let e = t.elapsed().as_nanos() as f64 / n as f64; if e < best { best = e; } }
    println!("{name}: {best:.1} ns");
}
fn main() {
    for count in std::env::args().skip(1).map(|a| a.parse::<usize>().unwrap()) {
        let acls = workload::acls(count);
        let rules = workload::parsed(&acls);
        let flows = workload::flows(&rules, 1 << 16);
        let t = Instant::now();
        let classifier = Classifier::compile(rules.clone());
        println!("n={count} build {:?} bytes {}", t.elapsed(), classifier.index_bytes());
        let packets: Vec<Packet<u32>> = flows.iter().map(|f| Packet::of(f, Direction::In).unwrap()).collect();
        best("  first", packets.len(), || { let mut s = 0u64; for p in &packets { s += classifier.first(black_box(p)).unwrap_or(0) as u64; } black_box(s); });
        best("  dependent", packets.len(), || { let mut s = 0u64; let mut x = 0usize; for p in &packets { let mut q = *p; q.protocol ^= (x >> 40) as u8; let r = classifier.first(black_box(&q)).unwrap_or(0) as u64; x = r as usize; s += r;} black_box(s); });
        if count <= 1000 && reps() <= 30 {
        best("  scan", packets.len(), || { let mut s = 0u64; for f in &flows { s += workload::scan(&rules, black_box(f)) as u64; } black_box(s); });
        }
    }
}
fn reps() -> usize { std::env::var("REPS").ok().and_then(|r| r.parse().ok()).unwrap_or(30) }
