import EventLoop
package import MPEGTS
package import SystemPackage

/// The feeds, splicers, pipes and taps of all channels, on one thread.
///
/// The data path does not start or end processes. It gives the child's end of each pipe to its caller, reports whether
/// media flows, and continues whatever happens at the other ends.
package actor DataPath {
    /// One attached source, converter, encoder or publisher, for as long as its process runs.
    package struct Attachment: Sendable, Hashable {
        fileprivate let number: Int
    }

    /// The feed of a channel or of a group.
    package enum FeedName: Sendable, Hashable {
        case channel(String)
        case group(String)
    }

    let loop = EventLoop()
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    var channels: [String: ChannelInput] = [:]
    var groups: [String: GroupOutput] = [:]
    var taps: [FeedName: Tap] = [:]
    var endpoints: [Attachment: Endpoint] = [:]
    private var lastNumber = 0

    let limits: Feed.Limits
    let tapPatience: Int64
    let mostAhead: Int64
    let frameBytes: Int
    /// In ticks.
    let frameSpan: Int64

    /// - Parameters:
    ///   - limits: How much each feed keeps.
    ///   - frameBytes: Most bytes of uncompressed frames that a source keeps until an encoder has returned them
    ///     encoded.
    ///   - frameSpan: Longest time from the first to the last of these frames.
    ///   - tapPatience: Time after which a tap drops a client that takes nothing although bytes wait for it.
    ///   - mostAhead: How far a source may be ahead of real time before it is held back. It is less than a feed keeps,
    ///     so that no encoder and no target skips media that comes at once.
    package init(
        limits: Feed.Limits = Feed.Limits(), frameBytes: Int = 256 << 20, frameSpan: Duration = .seconds(4),
        tapPatience: Duration = .seconds(10), mostAhead: Duration = .seconds(4)
    ) {
        self.limits = limits
        self.frameBytes = frameBytes
        self.frameSpan = Ticks.fromNanoseconds(frameSpan.wholeNanoseconds)
        self.tapPatience = tapPatience.wholeNanoseconds
        self.mostAhead = mostAhead.wholeNanoseconds
    }

    /// Returns once the data path's thread is between two jobs.
    package func ping() {}

    /// Starts the timers that find stalled endpoints. Call it once.
    ///
    /// The thread retains the data path until ``stop()``. So nothing that a descriptor or a deadline refers to is freed
    /// while the thread runs.
    package func start() {
        loop.setDeadlineCallback { [self] in assumeIsolated { $0.runTimers() } }
    }

    /// Closes everything and ends the thread.
    package func stop() {
        for endpoint in endpoints.values { endpoint.close() }
        for tap in taps.values { tap.close() }
        taps = [:]
        loop.stop()
    }

    /// Makes a pipe from one process to another. The data path does not use it itself.
    ///
    /// - Returns: Both ends, owned by the caller. Children do not inherit them.
    /// - Throws: ``DescriptorError``
    package static func pipe() throws(DescriptorError) -> (reading: FileDescriptor, writing: FileDescriptor) {
        let pipe = try Pipe(capacity: Pipe.frames)
        return (FileDescriptor(rawValue: pipe.reading), FileDescriptor(rawValue: pipe.writing))
    }

    // MARK: Endpoints

    /// Adds an endpoint to the table.
    func attach(_ endpoint: Endpoint) -> Attachment {
        lastNumber += 1
        let attachment = Attachment(number: lastNumber)
        endpoints[attachment] = endpoint
        return attachment
    }

    /// Ends the input of an encoder, a publisher or an audio converter. The process writes the rest of its output, and
    /// exits.
    package func endInput(of attachment: Attachment) { endpoints[attachment]?.endInput() }

    /// Reads the bytes that a relay left in its pipe when it ended.
    ///
    /// - Returns: Whether a part of it has to wait, because the source is ahead of real time. Call this again then.
    package func drain(_ attachment: Attachment) -> Bool {
        guard let unitReader = endpoints[attachment]?.unitReader else { return false }
        unitReader.drain()
        return unitReader.isBehind
    }

    /// Reads the bytes that a process left in its pipe when it ended, and closes the data path's ends.
    package func detach(_ attachment: Attachment) {
        guard let endpoint = endpoints.removeValue(forKey: attachment) else { return }
        endpoint.unitReader?.drain()
        endpoint.close()
    }

    // MARK: Feeds by name

    func channel(_ name: String) throws(UnknownFeed) -> ChannelInput {
        guard let channel = channels[name] else { throw UnknownFeed(name: .channel(name)) }
        return channel
    }

    func group(_ name: String) throws(UnknownFeed) -> GroupOutput {
        guard let group = groups[name] else { throw UnknownFeed(name: .group(name)) }
        return group
    }

    func hub(_ name: FeedName) throws(UnknownFeed) -> FeedHub {
        switch name {
        case .channel(let name): try channel(name).hub
        case .group(let name): try group(name).hub
        }
    }

    /// Runs the timers that are due.
    ///
    /// - Returns: When to call again at the latest; `.max` for never.
    private func runTimers() -> Int64 {
        let now = EventLoop.now()
        var next = Int64.max
        for channel in channels.values { next = min(next, channel.runTimers(now: now)) }
        for group in groups.values { next = min(next, group.runTimers(now: now)) }
        for case .publisher(let publisher) in endpoints.values { next = min(next, publisher.runTimers(now: now)) }
        for tap in taps.values { next = min(next, tap.runTimers(now: now)) }
        return next
    }
}
