import BoxConfiguration
import CapabilityProbe
import Supervision

/// What a configuration asks of capture cards and the box has not, or has twice.
enum CardNotices {
    /// A line each.
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

    /// A mode that the card has not.
    private static func notice(_ capture: CaptureSource, _ card: CaptureDevice) -> String? {
        let setting = CaptureSetting(card.modes, size: capture.size, rate: capture.rate)
        return setting.isOther ? "\(card.name) has no mode as asked for; the nearest is taken: \(setting)" : nil
    }

    private static func notice(_ binding: CaptureBinding, _ card: CaptureDevice?, _ cards: [CaptureDevice]) -> String? {
        let found = cards.filter { $0.matches(binding) }
        if found.isEmpty { return "no card \(binding.sentence) is there now; \(CaptureDevice.list(cards))" }
        if card == nil {
            return "the card that is meant is another source's, and each belongs to one; \(CaptureDevice.list(cards))"
        }
        let alike = found.filter { card in found.contains { $0.looksLike(card) } }
        switch binding {
        // Any of them will do, or only one can be meant.
        case .any, .path: return nil
        case .serial, .model:
            guard !alike.isEmpty else { return nil }
            return
                """
                \(alike.count) cards \(binding.sentence) are there, and nothing but their ports tells them apart; \
                bind by path: 
                """
                    + alike.map(\.path).joined(separator: ", ")
        }
    }
}
