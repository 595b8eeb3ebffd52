import DequeModule
import MPEGTS

/// The uncompressed frames of a source that its encoder has not delivered in encoded form yet.
///
/// Normally that is a frame or two. The memory of the store is bounded. When a slow encoder has caught up, the store
/// keeps the memory of at most four frames for later ones, and frees the rest.
struct FrameStore {
    struct Frame {
        let number: Int
        /// In ticks of 1/90000 s; later than the time of the frame before.
        let time: Int64
        let memory: FrameMemory
    }

    let format: FrameFormat
    private var frames: Deque<Frame> = []
    private var free: [FrameMemory] = []
    /// The number of the next frame that arrives.
    private(set) var nextNumber = 0
    /// The number of the next frame that the encoder has to deliver.
    private(set) var nextToDeliver = 0
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

    /// Returns the frame with this number, or the oldest frame if that one was removed. `nil` if it has not arrived.
    func firstFrame(atOrAfter number: Int) -> Frame? {
        guard let first = frames.first else { return nil }
        let index = max(0, number - first.number)
        return index < frames.count ? frames[index] : nil
    }

    /// Whether there is no room for another frame.
    var isFull: Bool {
        guard let first = frames.first, let last = frames.last else { return false }
        return (frames.count + 1) * format.byteCount > mostBytes || last.time - first.time > longestSpan
    }

    /// Returns memory for the next frame. `nil` if the system has none. ``isFull`` is not checked here.
    mutating func takeMemory() -> FrameMemory? { free.popLast() ?? FrameMemory(byteCount: format.byteCount) }

    /// Appends a frame.
    ///
    /// - Parameter time: In ticks of 1/90000 s. A time that is not later than the time of the frame before is moved
    ///   behind it.
    mutating func append(_ memory: FrameMemory, time: Int64) {
        let time = max(time, (lastTime ?? .min) + 1)
        frames.append(Frame(number: nextNumber, time: time, memory: memory))
        lastTime = time
        nextNumber += 1
    }

    /// Removes a frame that the encoder has delivered, and those before it, which it will no longer deliver. Their
    /// memory is used again.
    mutating func removeDelivered(through number: Int) {
        nextToDeliver = max(nextToDeliver, number + 1)
        while let first = frames.first, first.number < nextToDeliver {
            frames.removeFirst()
            if free.count < Self.spares { free.append(first.memory) }
        }
    }

    /// Drops the oldest frame. Its memory is not used again: the pipe to an encoder refers to the frame's pages without
    /// a copy, and the encoder may not have read them yet.
    mutating func giveUpFirst() { frames.removeFirst() }
}
