import DequeModule
import MPEGTS

/// The uncompressed frames of a source that no encoder has returned encoded yet.
///
/// Normally that is a frame or two. The memory of the store is bounded, and goes back to the system after a delay is
/// over.
struct FrameStore {
    struct Frame {
        let number: Int
        /// In ticks; later than the time of the frame before.
        let time: Int64
        let memory: FrameMemory
    }

    let format: FrameFormat
    private var frames: Deque<Frame> = []
    private var free: [FrameMemory] = []
    /// The number of the next frame that comes in.
    private(set) var end = 0
    /// The number of the next frame that has to come out encoded.
    private(set) var delivered = 0
    private(set) var lastTime: Int64?

    /// Most bytes of frames.
    private let mostBytes: Int
    /// Most ticks from the first frame to the last.
    private let longestSpan: Int64
    /// Frames whose memory is kept for later ones.
    private static let spares = 4

    init(format: FrameFormat, mostBytes: Int, longestSpan: Int64) {
        self.format = format
        self.mostBytes = mostBytes
        self.longestSpan = longestSpan
    }

    /// The oldest frame; `nil` when there is none.
    var first: Frame? { frames.first }

    var count: Int { frames.count }

    /// Returns the frame of this number; behind a gap, the oldest one after it.
    func frame(from number: Int) -> Frame? {
        guard let first = frames.first else { return nil }
        let index = max(0, number - first.number)
        return index < frames.count ? frames[index] : nil
    }

    /// Whether there is no room for another frame.
    var isFull: Bool {
        guard let first = frames.first, let last = frames.last else { return false }
        return (frames.count + 1) * format.byteCount > mostBytes || last.time - first.time > longestSpan
    }

    /// Returns memory for the next frame.
    mutating func room() -> FrameMemory? { free.popLast() ?? FrameMemory(byteCount: format.byteCount) }

    /// Appends a frame.
    ///
    /// - Parameter time: In ticks. A time that is not later than the time of the frame before is moved behind it.
    mutating func append(_ memory: FrameMemory, time: Int64) {
        let time = max(time, (lastTime ?? .min) + 1)
        frames.append(Frame(number: end, time: time, memory: memory))
        lastTime = time
        end += 1
    }

    /// Removes a frame that has come out encoded, and those before it, which will no longer come out. Their memory
    /// is used again.
    mutating func deliver(_ number: Int) {
        delivered = max(delivered, number + 1)
        while let first = frames.first, first.number < delivered {
            frames.removeFirst()
            if free.count < Self.spares { free.append(first.memory) }
        }
    }

    /// Drops the oldest frame. A pipe may still hold its pages, so the memory is not used again.
    mutating func giveUpFirst() { frames.removeFirst() }
}
