import BoxConfiguration
import DataPath
import Logging
import MPEGTS

extension SourceDriver {
    /// Handles an event of the data path: this extension for sources of all kinds, the driver for its own kind.
    func handle(_ event: SourceEvent) {
        let (statistics, logger) = (context.statistics, context.logger)
        switch event {
        case .program(let program): sourceHas(program)
        case .delivering(let format):
            statistics.shows(format)
            sourceDelivers()
            logger.info("delivers", metadata: format.map { ["video": "\($0)"] } ?? [:])
            context.process.report(.delivering)
            context.observer.delivers(true)
        case .changed(let format): formatChanged(format)
        case .onAir(let format):
            statistics.isOnAir(true)
            logger.notice("on air")
            context.observer.onAir(format)
        case .offAir:
            statistics.isOnAir(false)
            logger.info("off air")
        case .stalled:
            let isReplaced = sourceStalls()
            logger.warning("silent: no frame arrives")
            if isReplaced { context.process.report(.stalled) }
            context.observer.delivers(false)
        case .ahead(let isAhead): sourceIsAhead(isAhead)
        // An RTMP driver passes it to its audio converter; other sources have none.
        case .foreignAudio: break
        case .otherAudioFormat(let audio, let channel): sourceHas(audio, channel: channel)
        case .lateAudio(let lag): audioIsLate(lag)
        case .lost(let count):
            logger.error(
                "frames are lost: no encoder took them in time", metadata: ["frames": "\(count)"])
        case .unreadable(let problem):
            logger.error("the frames cannot be read", metadata: ["reason": "\(problem)"])
        case .ended:
            statistics.isOnAir(false)
            statistics.isSilent(false)
            for note in [SourceNote.pace, .audio] { statistics.note(note, nil) }
            logger.info("ended")
            context.observer.delivers(false)
        }
    }

    private func formatChanged(_ format: VideoFormat?) {
        context.statistics.shows(format)
        if let suppressed = context.reports.note(.change) {
            var metadata: Logger.Metadata = format.map { ["video": "\($0)"] } ?? [:]
            if suppressed > 0 { metadata["suppressed"] = "\(suppressed)" }
            context.logger.info("continues in another format", metadata: metadata)
        }
        if context.statistics.now.isOnAir { context.observer.changed(format) }
    }

    private func sourceIsAhead(_ isAhead: Bool) {
        let pacing = context.source.kind.pacing
        context.statistics.note(.pace, isAhead ? pacing.note : nil)
        guard isAhead else { return }
        let level = context.reports.notePace() ? pacing.level : .debug
        context.logger.log(level: level, "faster than real time", metadata: ["reason": "\(pacing.note)"])
    }

    private func audioIsLate(_ lag: Duration?) {
        // The lag may change, but late audio is reported only once.
        let isNews = context.statistics.now.notes[.lateAudio] == nil
        let text = lag.map { SourceNote.lateAudio($0) }
        context.statistics.note(.lateAudio, text)
        guard isNews, let text, let suppressed = context.reports.note(.lateAudio) else { return }
        var metadata: Logger.Metadata = ["reason": "\(text)"]
        if suppressed > 0 { metadata["suppressed"] = "\(suppressed)" }
        context.logger.warning("audio is left out", metadata: metadata)
    }
}
