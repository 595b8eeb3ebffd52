/// One measurement of ``Fanout``.
struct FanoutResult {
    struct Figures {
        /// Per cent of a core.
        var processor: Double
        /// In MB.
        var memory: Double
        var processes = 0
    }

    var targets: Int
    var service: Figures
    var peer: Figures

    /// The figures for each further target, of measurements with several numbers of targets.
    static func perTarget(_ results: [FanoutResult], _ figures: (FanoutResult) -> Figures) -> Figures {
        Figures(
            processor: slope(results.map { (Double($0.targets), figures($0).processor) }),
            memory: slope(results.map { (Double($0.targets), figures($0).memory) }))
    }
}
