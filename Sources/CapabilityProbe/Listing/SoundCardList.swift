/// The machine's sound cards that have an input.
struct SoundCardList: Sendable {
    private struct Card {
        var path: String
        /// ALSA's name of the input.
        var name: String
    }

    /// Sorted by path.
    private var cards: [Card] = []

    /// An empty list.
    init() {}

    /// Reads the sound cards from udev's database.
    init(_ udev: Udev) {
        let devices = udev.devices(of: "sound")
        for card in devices where card.name.hasPrefix("card") {
            let number = card.name.dropFirst(4)
            // pcmC1D0c: card 1, device 0, capture. A card without any device counts, because udev lists the devices of
            // a new card later.
            let streams = devices.map(\.name).filter { $0.hasPrefix("pcmC\(number)D") }
            let inputs = streams.filter { $0.hasSuffix("c") }.compactMap {
                Int($0.dropFirst(5 + number.count).dropLast())
            }
            if inputs.isEmpty, !streams.isEmpty { continue }
            let first = inputs.min() ?? 0
            cards.append(Card(path: card.path, name: "hw:\(number)" + (first > 0 ? ",\(first)" : "")))
        }
    }

    /// Returns ALSA's name of the sound card that belongs to an input of a capture card. `nil` if there is none.
    ///
    /// - Parameters:
    ///   - bus: The capture card's USB or PCI device, as a path below `/sys`.
    ///   - input: The number of the input, from 0.
    ///   - inputCount: How many inputs the capture card has.
    func soundCard(atBus bus: String, input: Int, inputCount: Int) -> String? {
        var own = cards.filter { $0.path.hasPrefix(bus + "/") }
        // On PCI the audio device may be another function of the same card: 0000:03:00.0 and 0000:03:00.1.
        let function = bus.lastIndex(of: ".").map { bus[...$0] }
        if own.isEmpty, let function, bus.hasSuffix(".0"), !function.contains("/usb") {
            own = cards.filter { $0.path.hasPrefix(function) }
        }
        return own.count == inputCount ? own[input].name : own.first?.name
    }
}
