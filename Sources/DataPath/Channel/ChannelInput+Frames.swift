import MPEGTS

// Sources of uncompressed frames.
extension ChannelInput: FrameStreamOwner {
    /// Nanoseconds that uncompressed frames count as delivered while an encoder is replaced: they will come out
    /// encoded.
    private static let encoderPatience: Int64 = 4_000_000_000

    func stream(_ stream: FrameStream, hasFrame now: Int64) {
        guard let source = source(of: stream) else { return }
        source.lastFrame = now
        guard let lastEncoded = stream.lastEncoded, now - lastEncoded < Self.encoderPatience else { return }
        if source.isStalled { delivers(source, now: now) }
        choice.delivered(source.priority, now: now)
        if choice.onAir == source.priority, player == nil { lastAired = now }
    }

    func stream(
        _ stream: FrameStream, found unit: AccessUnit, in parser: borrowing some UnitSource & ~Copyable,
        program: Program, isNew: Bool, now: Int64
    ) {
        guard let source = source(of: stream) else { return }
        if isNew { source.writer.resume(needsKeyframe: true) }
        take(unit, of: source, from: parser, program: program, now: now)
    }

    func streamPaused(_ stream: FrameStream, sawVideo: Bool) { hub.mayFlush(sawVideo: sawVideo) }

    func stream(_ stream: FrameStream, hasLost count: Int) { source(of: stream)?.report(.lost(count)) }

    func stream(_ stream: FrameStream, isUnreadable problem: String) {
        source(of: stream)?.report(.unreadable(problem))
    }

    func streamEnded(_ stream: FrameStream) {
        if let source = source(of: stream) { end(source) }
    }
}
