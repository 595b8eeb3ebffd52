/// The machine's sound cards that something can be recorded from.
struct SoundList: Sendable {
    private struct Card {
        var path: String
        /// ALSA's name of it.
        var name: String
    }

    /// In the order of their paths.
    private var cards: [Card] = []

    /// None.
    init() {}

    init(_ udev: Udev) {
        let devices = udev.devices(of: "sound")
        for card in devices where card.name.hasPrefix("card") {
            let number = card.name.dropFirst(4)
            // pcmC1D0c: card 1, device 0, capture. Where none is listed yet, they come.
            let streams = devices.map(\.name).filter { $0.hasPrefix("pcmC\(number)D") }
            let inputs = streams.filter { $0.hasSuffix("c") }.compactMap {
                Int($0.dropFirst(5 + number.count).dropLast())
            }
            if inputs.isEmpty, !streams.isEmpty { continue }
            let first = inputs.min() ?? 0
            cards.append(Card(path: card.path, name: "hw:\(number)" + (first > 0 ? ",\(first)" : "")))
        }
    }

    /// The sound that belongs to an input of a card.
    ///
    /// - Parameters:
    ///   - bus: The card's USB or PCI device, below `/sys`.
    ///   - input: Which of its inputs, from 0.
    ///   - count: How many inputs it has.
    func partner(of bus: String, input: Int, of count: Int) -> String? {
        var own = cards.filter { $0.path.hasPrefix(bus + "/") }
        // On PCI sound may be another function of the same card: 0000:03:00.0 and 0000:03:00.1.
        let function = bus.lastIndex(of: ".").map { bus[...$0] }
        if own.isEmpty, let function, bus.hasSuffix(".0"), !function.contains("/usb") {
            own = cards.filter { $0.path.hasPrefix(function) }
        }
        return own.count == count ? own[input].name : own.first?.name
    }
}
