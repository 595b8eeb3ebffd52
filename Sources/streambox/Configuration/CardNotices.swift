import BoxConfiguration
import CapabilityProbe
import Supervision

/// Notices about capture cards that a configuration asks for and that the box lacks, or has more than once.
enum CardNotices {
    /// One line for each notice.
    static func of(_ loaded: LoadedConfiguration, _ cards: [CaptureDevice]) -> [String] {
        var claims = CaptureClaims()
        claims.set(cards)
        for channel in loaded.configuration.channels {
            for source in channel.sources {
                if case .capture(let capture) = source.kind {
                    claims.add("\(channel.name)/\(source.id)", capture.binding)
                }
            }
        }
        return loaded.configuration.channels.flatMap { channel in
            channel.sources.flatMap { source -> [String] in
                guard case .capture(let capture) = source.kind else { return [] }
                let card = claims.device(of: "\(channel.name)/\(source.id)")
                return [
                    notice(capture.binding, card, cards),
                    card.flatMap { $0.isHung ? $0.accessProblem : notice(capture, $0) },
                ].compactMap { $0 }.map {
                    "\(loaded.name):\(source.location): source \(source.id) of \(channel.name): \($0)"
                }
            }
        }
    }

    /// The notice about a mode that the card does not have.
    private static func notice(_ capture: CaptureSource, _ card: CaptureDevice) -> String? {
        let setting = CaptureSetting(card.modes, size: capture.size, rate: capture.rate)
        return setting.isOther
            ? "\(card.name) does not have the requested mode; the nearest one is used: \(setting)" : nil
    }

    private static func notice(_ binding: CaptureBinding, _ card: CaptureDevice?, _ cards: [CaptureDevice]) -> String? {
        let found = cards.filter { $0.matches(binding) }
        if found.isEmpty { return "no card \(binding.sentence) is there now; \(CaptureDevice.list(cards))" }
        if card == nil {
            return "another source uses this card, and a card can have only one source; \(CaptureDevice.list(cards))"
        }
        let alike = found.filter { card in found.contains { $0.looksLike(card) } }
        switch binding {
        // Any card will do, or only one can match.
        case .any, .path: return nil
        case .serial, .model:
            guard !alike.isEmpty else { return nil }
            return
                """
                \(alike.count) cards \(binding.sentence) are there, and only their ports differ; bind by path: 
                """
                    + alike.map(\.path).joined(separator: ", ")
        }
    }
}
