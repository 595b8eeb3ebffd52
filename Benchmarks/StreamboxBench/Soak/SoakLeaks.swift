/// The figures of the daemon at a moment when it had settled.
struct SoakSample {
    /// Seconds since a fixed moment.
    var time: Double
    /// Bytes.
    var resident: Int
    /// The number of each kind: `socket`, `pipe`, `anon_inode:[pidfd]`, or the path of a file.
    var descriptors: [String: Int]
    var processes: Int
    var zombies: Int
}

/// The growth over a soak.
struct SoakLeaks {
    let descriptors: (before: Int, after: Int)
    /// The kinds of descriptors that grew, and by how many.
    let grown: [String: Int]
    let processes: (before: Int, after: Int)
    let zombies: Int
    /// Bytes.
    let resident: (before: Int, after: Int)
    let most: Int
    /// Bytes an hour, by least squares over the second half: in the first half a service allocates memory that it needs
    /// once.
    let slope: Double

    init(_ samples: [SoakSample]) {
        // A tap or a trial may be open at one moment; a leak is there at every later moment.
        let first = samples.prefix(10)
        let last = samples.suffix(10)
        func least(_ figure: (SoakSample) -> Int) -> (before: Int, after: Int) {
            (first.map(figure).min() ?? 0, last.map(figure).min() ?? 0)
        }
        descriptors = least { $0.descriptors.values.reduce(0, +) }
        grown = Dictionary(
            uniqueKeysWithValues: Set(last.flatMap(\.descriptors.keys)).map { kind in
                let count = least { $0.descriptors[kind] ?? 0 }
                return (kind, count.after - count.before)
            }
        ).filter { $0.value > 0 }
        processes = least(\.processes)
        zombies = last.map(\.zombies).min() ?? 0
        resident = (samples.first?.resident ?? 0, samples.last?.resident ?? 0)
        most = samples.map(\.resident).max() ?? 0
        let half = samples.suffix((samples.count + 1) / 2)
        let time = half.map(\.time).reduce(0, +) / Double(half.count)
        let size = half.map { Double($0.resident) }.reduce(0, +) / Double(half.count)
        let above = half.map { ($0.time - time) * (Double($0.resident) - size) }.reduce(0, +)
        let below = half.map { ($0.time - time) * ($0.time - time) }.reduce(0, +)
        slope = below > 0 ? above / below * 3600 : 0
    }

    var isFree: Bool {
        descriptors.after <= descriptors.before && processes.after <= processes.before && zombies == 0
    }
}
