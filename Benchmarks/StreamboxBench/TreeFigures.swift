import Foundation
import TestSupport

/// The kernel's figures of programs and of all processes below them.
struct TreeFigures {
    /// Seconds on a processor, for all threads together. Includes processes below that have ended, once their parent
    /// has waited for them, in steps of a tick (10 ms).
    var cpu = 0.0
    /// Bytes of memory. A page that several processes share counts in parts (PSS).
    var memory = 0
    /// The number of processes that run.
    var processes = 0

    /// - Throws: `Failed` if one of the programs has ended.
    init(of programs: [Int32]) throws {
        for program in programs {
            try add(program)
            // A process below may end at any time.
            for process in Leftovers.descendants(of: program) { try? add(process.pid) }
        }
    }

    private mutating func add(_ pid: Int32) throws {
        var clock = clockid_t()
        var time = timespec()
        // The clock counts nanoseconds, and threads that have ended too.
        guard clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0,
            let stat = KernelFile.text("/proc/\(pid)/stat"), let end = stat.lastIndex(of: ")")
        else { throw Failed("process \(pid) is gone") }
        // After the name: the state, and at the places 13 and 14 the ticks of processes that were waited for.
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        let ended = fields.dropFirst(13).prefix(2).reduce(0) { $0 + (Double($1) ?? 0) }
        cpu += Double(time.tv_sec) + Double(time.tv_nsec) / 1e9 + ended / Double(sysconf(Int32(_SC_CLK_TCK)))
        // A process that has ended has no memory.
        let lines = KernelFile.text("/proc/\(pid)/smaps_rollup")?.split(separator: "\n") ?? []
        guard let line = lines.first(where: { $0.hasPrefix("Pss:") }) else { return }
        memory += (Int(line.split(whereSeparator: { !$0.isNumber }).first ?? "0") ?? 0) * 1024
        processes += 1
    }
}

/// Waits until no process below a program has started or ended for five seconds. When the service starts, it queries
/// FFmpeg and prepares its slate.
func waitUntilSteady(_ program: TestProcess) async throws {
    var last: [Int32] = []
    var since = ContinuousClock.now
    try await eventually("\(program) to be steady", within: .seconds(120), every: .milliseconds(250)) {
        let pids = Leftovers.descendants(of: program.pid).map(\.pid).sorted()
        if pids != last { (last, since) = (pids, .now) }
        return ContinuousClock.now - since > .seconds(5)
    }
}

/// The slope of the line through points that fits best, by least squares.
func slope(_ points: [(x: Double, y: Double)]) -> Double {
    let count = Double(points.count)
    let mean = (x: points.reduce(0) { $0 + $1.x } / count, y: points.reduce(0) { $0 + $1.y } / count)
    let rise = points.reduce(0) { $0 + ($1.x - mean.x) * ($1.y - mean.y) }
    return rise / points.reduce(0) { $0 + ($1.x - mean.x) * ($1.x - mean.x) }
}

/// The median, and the least and the greatest value if there are several.
func summary(_ values: [Double], _ digits: Int) -> String {
    let middle = median(values).formatted(digits)
    guard values.count > 1, let least = values.min(), let greatest = values.max() else { return middle }
    return "\(middle) (\(least.formatted(digits))…\(greatest.formatted(digits)))"
}
