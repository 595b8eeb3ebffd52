/// Decides which sources of a channel run. Pure: events are inputs, and effects are results.
///
/// Sources from outside the box (listeners, pulls, cards and raw frames) always run, so that they can go on air the
/// moment they deliver. Own sources, which the box makes itself (files, the test picture), run while none of higher
/// priority delivers: they cost processor time, and deliver a fifth of a second after they start.
package struct ChannelMachine: Sendable {
    package enum Event: Sendable, Hashable {
        /// A source delivers, or no longer does.
        case source(Int, delivers: Bool)
        /// The sources of higher priority have delivered long enough since the change of this number.
        case settled(change: Int)
    }

    package enum Effect: Sendable, Hashable {
        case run(Int)
        case rest(Int)
        /// Report ``Event/settled(change:)`` after ``ChannelMachine/settling``.
        case settle(change: Int)
    }

    /// How long a source of higher priority must deliver before own sources stop.
    package static let settling = Duration.seconds(5)

    /// Whether each source, in order of priority, is an own source.
    private var isOwn: [Bool]
    private var delivers: [Bool]
    private var runs: [Bool]
    private var change = 0

    package init(isOwn: [Bool]) {
        self.isOwn = isOwn
        delivers = Array(repeating: false, count: isOwn.count)
        runs = Array(repeating: true, count: isOwn.count)
    }

    /// The effects at the start: all sources run until the first delivers.
    package var initial: [Effect] { isOwn.indices.map { .run($0) } }

    package mutating func handle(_ event: Event) -> [Effect] {
        switch event {
        case .source(let source, let now):
            guard delivers[source] != now else { return [] }
            delivers[source] = now
            change += 1
            let effects = now ? [] : start()
            // If a source stops delivering while a better one settles, the time starts again.
            let isSettling = isOwn.indices.contains { runs[$0] && !isWanted($0) }
            return now || isSettling ? effects + [.settle(change: change)] : effects
        case .settled(let change):
            guard change == self.change else { return [] }
            return rest()
        }
    }

    /// Replaces the list of sources.
    ///
    /// - Parameter kept: Whether each source of the new list was at the same position before.
    package mutating func change(isOwn: [Bool], kept: [Bool]) -> [Effect] {
        delivers = isOwn.indices.map { kept[$0] && delivers[$0] }
        runs = isOwn.indices.map { kept[$0] && runs[$0] }
        self.isOwn = isOwn
        change += 1
        return start() + [.settle(change: change)]
    }

    private func isWanted(_ source: Int) -> Bool {
        !isOwn[source] || !delivers[..<source].contains(true)
    }

    private mutating func start() -> [Effect] {
        var effects: [Effect] = []
        for source in isOwn.indices where !runs[source] && isWanted(source) {
            runs[source] = true
            effects.append(.run(source))
        }
        return effects
    }

    private mutating func rest() -> [Effect] {
        var effects: [Effect] = []
        for source in isOwn.indices where runs[source] && !isWanted(source) {
            runs[source] = false
            delivers[source] = false
            effects.append(.rest(source))
        }
        return effects
    }
}
