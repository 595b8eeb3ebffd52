import DequeModule
import EventLoop
import MPEGTS

// The generations of the encoder.
extension FrameStream {
    /// Whether a successor can take over from the running encoder, perhaps after another successor has gone.
    var hasCurrent: Bool { generations.contains { $0.isJoined && !$0.isCut } }

    func add(_ generation: Generation, _ start: Start) {
        // Frames that former encoders still give, such as a successor that is about to end, belong to the new
        // generation.
        if case .atOnce = start {
            for former in generations { former.cut = min(former.cut ?? .max, store.nextToDeliver) }
        }
        generations.append(generation)
        switch start {
        case .atOnce: generation.sender.begin(at: store.nextToDeliver)
        case .whenReady:
            let now = EventLoop.now()
            generation.owesSince = now
            loop.arm(for: now + generation.patience)
        }
        if hasEnded { generation.sender.finish() }
    }

    /// A frame of the store for a sender; `nil` where it has not come yet.
    func firstFrame(atOrAfter number: Int) -> FrameStore.Frame? { store.firstFrame(atOrAfter: number) }

    /// Called when a sender has begun to write a frame.
    func began(_ frame: FrameStore.Frame, in sender: FrameSender) {
        guard let generation = generations.first(where: { $0.sender === sender }) else { return }
        if generation.given.isEmpty {
            let now = EventLoop.now()
            generation.owesSince = now
            loop.arm(for: now + generation.patience)
        }
        generation.given.append((frame.number, frame.time))
    }

    /// Lets an encoder that is ready take over with a frame that has just come.
    func beginSuccessor(at number: Int) {
        guard generations.count > 1, let successor = generations.last, successor.sender.next == nil,
            successor.sender.isRead
        else { return }
        let current = generations[generations.count - 2]
        guard current.isJoined, !current.isCut else { return }
        current.cut = number
        successor.owesSince = nil
        if store.nextToDeliver < number {
            successor.isHeld = true
            successor.unitReader.hold()
        }
        successor.sender.begin(at: number)
    }

    /// Reads a successor's frames once the encoder before it has given all of its own.
    func releaseSuccessor() {
        guard let successor = generations.last, successor.isHeld, generations.count > 1,
            let cut = generations[generations.count - 2].cut, store.nextToDeliver >= cut
        else { return }
        successor.isHeld = false
        if !successor.given.isEmpty { successor.owesSince = EventLoop.now() }
        successor.unitReader.release()
    }

    /// Makes a generation the present one after its first frame, and ends those before it.
    func join(_ generation: Generation, now: Int64) {
        generation.isJoined = true
        generation.patience = Self.patience
        loop.arm(for: now + generation.patience)
        generation.report(.delivering(videoFormat, after: lastEncoded.map { .nanoseconds(now - $0) }))
        while let oldest = generations.first, oldest !== generation {
            generations.removeFirst()
            forget(oldest)
            oldest.report(.superseded)
        }
    }

    /// Removes an encoder whose process has ended.
    func remove(_ unitReader: PipeReader) {
        guard end(unitReader) == nil else { return }
        unitReader.close()
    }

    /// - Returns: The generation that has ended; `nil` where there was none of this reader.
    @discardableResult
    func end(_ unitReader: any UnitReader) -> Generation? {
        guard let index = generations.firstIndex(where: { $0.unitReader === unitReader }) else { return nil }
        let generation = generations.remove(at: index)
        forget(generation)
        withdrawCut(of: generation)
        return generation
    }

    func forget(_ generation: Generation) {
        generation.unitReader.close()
        generation.sender.close()
    }

    /// Withdraws the cut that a successor left when it ended before it took over. By now another successor may exist.
    private func withdrawCut(of successor: Generation) {
        guard !successor.isJoined, !generations.contains(where: { !$0.isJoined && $0.sender.next != nil }) else {
            return
        }
        guard let current = generations.last(where: { $0.isJoined }), current.cut != nil else { return }
        // An encoder of which a frame was rejected has its later frames rejected too: the one that replaces it begins
        // with the missing frames.
        if current.isCut { current.report(.torn) } else { current.cut = nil }
    }
}
