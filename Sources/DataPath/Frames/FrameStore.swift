import DequeModule
import MPEGTS

/// The frames of a source that no encoder has given back as pictures yet.
///
/// In health that is a frame or two. What it keeps is bounded, and given back to the system behind a hold-up.
struct FrameStore {
    struct Frame {
        let number: Int
        /// In ticks; later than that of the frame before.
        let time: Int64
        let memory: FrameMemory
    }

    let layout: FrameLayout
    private var frames: Deque<Frame> = []
    private var free: [FrameMemory] = []
    /// The number of the next frame that comes in.
    private(set) var end = 0
    /// The number of the next frame that is to come out as a picture.
    private(set) var delivered = 0
    private(set) var lastTime: Int64?

    /// Bytes of frames at the most.
    private let mostBytes: Int
    /// Ticks from the first to the last at the most.
    private let longestSpan: Int64
    /// Frames whose room is kept for those to come.
    private static let spares = 4

    init(layout: FrameLayout, mostBytes: Int, longestSpan: Int64) {
        self.layout = layout
        self.mostBytes = mostBytes
        self.longestSpan = longestSpan
    }

    /// The oldest frame that is kept; `nil` when none is.
    var first: Frame? { frames.first }

    var count: Int { frames.count }

    /// A frame, where it is kept; behind a gap the oldest.
    func frame(from number: Int) -> Frame? {
        guard let first = frames.first else { return nil }
        let index = max(0, number - first.number)
        return index < frames.count ? frames[index] : nil
    }

    /// It has no room for another frame.
    var isFull: Bool {
        guard let first = frames.first, let last = frames.last else { return false }
        return (frames.count + 1) * layout.byteCount > mostBytes || last.time - first.time > longestSpan
    }

    /// Room for the next frame.
    mutating func room() -> FrameMemory? { free.popLast() ?? FrameMemory(byteCount: layout.byteCount) }

    /// Takes a frame in.
    ///
    /// - Parameter time: In ticks; one that is not later than that of the frame before is moved behind it.
    mutating func append(_ memory: FrameMemory, time: Int64) {
        let time = max(time, (lastTime ?? .min) + 1)
        frames.append(Frame(number: end, time: time, memory: memory))
        lastTime = time
        end += 1
    }

    /// A frame has come out as a picture, and those before it will not any more: their room is used again.
    mutating func deliver(_ number: Int) {
        delivered = max(delivered, number + 1)
        while let first = frames.first, first.number < delivered {
            frames.removeFirst()
            if free.count < Self.spares { free.append(first.memory) }
        }
    }

    /// Gives up the oldest frame. A pipe may still hold it, so its room is not used again.
    mutating func giveUpFirst() { frames.removeFirst() }
}
