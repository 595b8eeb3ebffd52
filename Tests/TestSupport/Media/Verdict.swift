/// What became of a numbered stream on its way: the answer to "has a viewer lost anything?".
package struct Verdict: Sendable, CustomStringConvertible {
    /// Frames with a number, in the order they came.
    package let received: Int
    /// Frames without a readable number, such as those of a slate.
    package let unnumbered: Int
    package let first: UInt32?
    package let last: UInt32?
    /// Numbers between the lowest and the highest that never came, as ranges.
    package let lost: [ClosedRange<UInt32>]
    /// Numbers that came more than once.
    package let duplicated: [UInt32]
    /// Numbers that came after a higher one for the first time.
    package let late: [UInt32]
    /// Positions of frames, numbered or not, whose timestamp is not above that of the frame before.
    package let backwards: [Int]
    /// The longest time from one frame to the next, in seconds, and the position of the frame after it.
    package let longestGap: (seconds: Double, position: Int)?
    /// For each beep with its frame: when, and how much later the sound is than the picture, both in seconds.
    package let soundOffsets: [(time: Double, offset: Double)]

    package var lostCount: Int { lost.reduce(0) { $0 + Int($1.upperBound - $1.lowerBound) + 1 } }

    /// The largest distance of sound and picture, either way, in seconds.
    package var worstSoundOffset: Double? { soundOffsets.map { abs($0.offset) }.max() }

    /// Nothing lost, nothing twice, all in order.
    package var isWhole: Bool {
        received > 0 && lost.isEmpty && duplicated.isEmpty && late.isEmpty && backwards.isEmpty
    }

    /// - Parameter framesPerBeep: `NumberedSource.framesPerBeep` of the source.
    package init(_ reading: FrameReader.Reading, framesPerBeep: Int = 30) {
        var seen = Set<UInt32>()
        var duplicated: [UInt32] = []
        var late: [UInt32] = []
        var highest: UInt32?
        for number in reading.numbers {
            if !seen.insert(number).inserted {
                duplicated.append(number)
            } else if let highest, number < highest {
                late.append(number)
            }
            highest = max(highest ?? number, number)
        }
        let sorted = seen.sorted()
        lost = zip(sorted, sorted.dropFirst()).compactMap { $1 - $0 > 1 ? ($0 + 1)...($1 - 1) : nil }
        self.duplicated = duplicated
        self.late = late
        received = reading.numbers.count
        unnumbered = reading.frames.count - received
        first = sorted.first
        last = sorted.last

        let steps = zip(reading.frames, reading.frames.dropFirst()).enumerated()
        backwards = steps.filter { $1.1.pts <= $1.0.pts }.map { $0.offset + 1 }
        longestGap = steps.map { ($1.1.time - $1.0.time, $0 + 1) }.max { $0.0 < $1.0 }

        let flashes = reading.frames.filter { frame in
            frame.number.map { Int($0) % framesPerBeep == 0 } ?? false
        }
        soundOffsets = reading.beeps.compactMap { beep in
            let nearest = flashes.min { abs($0.time - beep) < abs($1.time - beep) }
            // Further away than half a second, it is another second's flash: this one was lost.
            guard let nearest, abs(nearest.time - beep) < 0.5 else { return nil }
            return (beep, beep - nearest.time)
        }
    }

    package var description: String {
        var words = ["\(received) frames"]
        if let first, let last { words.append("numbers \(first)...\(last)") }
        words.append("\(lostCount) lost\(lost.isEmpty ? "" : " \(lost)")")
        words.append("\(duplicated.count) twice\(duplicated.isEmpty ? "" : " \(duplicated)")")
        if !late.isEmpty { words.append("late \(late)") }
        if !backwards.isEmpty { words.append("timestamps not rising at \(backwards)") }
        if unnumbered > 0 { words.append("\(unnumbered) without a number") }
        if let longestGap { words.append("longest gap \(longestGap.seconds) s") }
        if let worstSoundOffset { words.append("sound off by at most \(worstSoundOffset) s") }
        return words.joined(separator: ", ")
    }
}
