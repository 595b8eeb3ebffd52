import TestSupport

/// The frames that came to one target, over every source that was on air.
///
/// Each start of a source numbers its frames from another million on. The box received every frame between the first
/// and the last one of a start that came.
struct SoakStream: CustomStringConvertible {
    static let run: UInt32 = 1_000_000

    let name: String
    let received: Int
    let unnumbered: Int
    /// The missing numbers, within each start.
    let missing: [ClosedRange<UInt32>]
    /// The number of frames that came twice, or after a later one.
    let disordered: Int
    let backward: Int

    var lost: Int { missing.map(\.count).reduce(0, +) }
    var isWhole: Bool { received > 0 && lost == 0 && disordered == 0 && backward == 0 }

    init(name: String, frames: [FrameReader.Frame]) {
        self.name = name
        let numbers = frames.compactMap(\.number)
        received = numbers.count
        unnumbered = frames.count - numbers.count
        var newest: UInt32?
        var disordered = 0
        var missing: [ClosedRange<UInt32>] = []
        for number in numbers {
            if let last = newest {
                if number <= last {
                    disordered += 1
                    continue
                }
                if number / Self.run == last / Self.run, number > last + 1 { missing.append(last + 1...number - 1) }
            }
            newest = number
        }
        self.disordered = disordered
        self.missing = missing
        backward = zip(frames, frames.dropFirst()).filter { $1.pts <= $0.pts }.count
    }

    var description: String {
        "\(name): \(received) frames, missing \(missing), disordered \(disordered), backward \(backward)"
    }
}
