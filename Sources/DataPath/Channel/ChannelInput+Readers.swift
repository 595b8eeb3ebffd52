import EventLoop
import MPEGTS

// Units from the readers of sources and of their audio converters.
extension ChannelInput: UnitReaderDelegate {
    func unitReader(_ unitReader: any UnitReader, found program: Program) {
        guard let source = source(of: unitReader) else { return }
        source.isForeign = program.hasForeignAudio || (program.video == nil && program.hasForeignVideo)
        source.program = program
        source.forgetLateAudio()
        source.report(.program(program))
    }

    func unitReader(
        _ unitReader: any UnitReader, found unit: AccessUnit, in parser: borrowing some UnitSource & ~Copyable,
        now: Int64
    ) {
        guard let source = source(of: unitReader) else {
            return takeConverted(unit, of: unitReader, from: parser, now: now)
        }
        guard !source.isForeign, let program = parser.program else { return }
        if unit.kind == .video { source.lastFrame = now }
        take(unit, of: source, from: parser, program: source.converted(program), now: now)
        if unit.kind == .video { keepPace(of: source, at: unit.dts, unitReader, now: now) }
    }

    func unitReaderBeganFormat(_ unitReader: any UnitReader) { source(of: unitReader)?.beginsFormat = true }

    func unitReader(_ unitReader: any UnitReader, hasForeignAudio audio: ForeignAudio?) {
        guard let source = source(of: unitReader) else { return }
        source.forgetConverters()
        source.forgetLateAudio()
        source.report(.foreignAudio(audio))
    }

    func unitReaderPaused(_ unitReader: any UnitReader, sawVideo: Bool) {
        hub.mayFlush(sawVideo: sawVideo)
        unitReader.rest(until: hub.nextTurn)
    }

    func unitReaderEnded(_ unitReader: any UnitReader) {
        if let source = source(of: unitReader) {
            end(source)
        } else if let (source, converter) = converter(of: unitReader) {
            source.remove(converter)
        }
    }

    /// Makes a source that is ahead of real time wait, on air or not. So a file that is fetched plays like any other
    /// source.
    private func keepPace(of source: ChannelSource, at dts: Int64, _ unitReader: any UnitReader, now: Int64) {
        let (wait, change) = paces[source.priority, default: SourcePace(most: mostAhead)].note(dts, now: now)
        if let wait {
            unitReader.wait(until: wait)
            // A source that is held back is not silent: its next frame is there.
            source.lastFrame = max(wait, now)
            choice.delivered(source.priority, now: max(wait, now))
            if choice.onAir == source.priority, player == nil { lastAired = max(wait, now) }
        }
        if let change { source.report(.ahead(change)) }
    }
}
