import Foundation
import TestSupport

/// The kernel's figures of a process.
struct ProcessFigures {
    /// Seconds on a processor, for all threads together.
    var cpu: Double
    /// Bytes resident.
    var resident: Int

    init(pid: Int32) throws {
        // schedstat counts nanoseconds; the ticks in `stat` are too coarse for a process that is nearly idle.
        let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")
        var nanoseconds = 0.0
        for task in tasks {
            let text = KernelFile.text("/proc/\(pid)/task/\(task)/schedstat") ?? "0"
            nanoseconds += Double(text.split(separator: " ").first ?? "0") ?? 0
        }
        cpu = nanoseconds / 1e9
        guard let status = KernelFile.text("/proc/\(pid)/status") else { throw Failed("process \(pid) is gone") }
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        resident = (Int(line.split(whereSeparator: { !$0.isNumber }).first ?? "0") ?? 0) * 1024
    }
}

func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return .nan }
    return sorted.count % 2 == 1
        ? sorted[sorted.count / 2] : (sorted[sorted.count / 2 - 1] + sorted[sorted.count / 2]) / 2
}

extension Double {
    func formatted(_ digits: Int) -> String { String(format: "%.\(digits)f", self) }
}
