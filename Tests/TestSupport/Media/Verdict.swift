/// The state in which a numbered stream arrived: has a viewer lost anything?
package struct Verdict: Sendable, CustomStringConvertible {
    /// The number of frames with a number.
    package let received: Int
    /// The number of frames without a readable number, such as those of a slate.
    package let unnumbered: Int
    package let first: UInt32?
    package let last: UInt32?
    /// The missing numbers between the lowest and the highest, as ranges.
    package let lost: [ClosedRange<UInt32>]
    /// The numbers that came more than once, each repetition.
    package let duplicated: [UInt32]
    /// The numbers that first came after a higher one.
    package let late: [UInt32]
    /// The positions of frames, with or without a number, whose timestamp is not above that of the frame before.
    package let backwards: [Int]
    /// The longest time from one frame to the next, in seconds, and the position of the frame after it.
    package let longestGap: (seconds: Double, position: Int)?
    /// For each beep that has its frame: its time, and how much later the audio is than the video, in seconds.
    package let audioOffsets: [(time: Double, offset: Double)]

    package var lostCount: Int { lost.reduce(0) { $0 + Int($1.upperBound - $1.lowerBound) + 1 } }

    /// The largest offset between audio and video in either direction, in seconds.
    package var worstAudioOffset: Double? { audioOffsets.map { abs($0.offset) }.max() }

    /// Whether no frame is lost or repeated, and all are in order.
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
        audioOffsets = reading.beeps.compactMap { beep in
            let nearest = flashes.min { abs($0.time - beep) < abs($1.time - beep) }
            // A flash more than half a second away belongs to another second: the frame of this beep was lost.
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
        if let worstAudioOffset { words.append("audio off by at most \(worstAudioOffset) s") }
        return words.joined(separator: ", ")
    }
}
