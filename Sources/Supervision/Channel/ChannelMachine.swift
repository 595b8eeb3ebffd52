/// Which sources of a channel run.
///
/// Sources that others feed (listeners and pulls) always run, so that they can take the air the moment they deliver.
/// Sources that the box makes itself (files, the test picture) run while none of higher priority delivers: they cost
/// processor time, and are there a fifth of a second after they are wanted.
package struct ChannelMachine: Sendable {
    package enum Event: Sendable, Hashable {
        /// A source delivers, or does so no more.
        case source(Int, delivers: Bool)
        /// The sources of higher priority have delivered long enough; the number is that of the change that began it.
        case settled(change: Int)
    }

    package enum Effect: Sendable, Hashable {
        case run(Int)
        case rest(Int)
        /// Report ``Event/settled(change:)`` after ``ChannelMachine/settling``.
        case settle(change: Int)
    }

    /// How long a better source must deliver before the box's own ones rest.
    package static let settling = Duration.seconds(5)

    /// Whether each source, in order of priority, is one that the box makes itself.
    private var isOwn: [Bool]
    private var delivers: [Bool]
    private var runs: [Bool]
    private var change = 0

    package init(isOwn: [Bool]) {
        self.isOwn = isOwn
        delivers = Array(repeating: false, count: isOwn.count)
        runs = Array(repeating: true, count: isOwn.count)
    }

    /// The sources that run at the start: all of them, until the first delivers.
    package var initial: [Effect] { isOwn.indices.map { .run($0) } }

    package mutating func handle(_ event: Event) -> [Effect] {
        switch event {
        case .source(let source, let now):
            guard delivers[source] != now else { return [] }
            delivers[source] = now
            change += 1
            let effects = now ? [] : start()
            // An end may fall into the time in which a better source settles: that begins anew.
            let isSettling = isOwn.indices.contains { runs[$0] && !isWanted($0) }
            return now || isSettling ? effects + [.settle(change: change)] : effects
        case .settled(let change):
            guard change == self.change else { return [] }
            return rest()
        }
    }

    /// The list of sources has changed.
    ///
    /// - Parameter kept: Whether each of the new ones is the one that stood there before; never for a place that was
    ///   none.
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
