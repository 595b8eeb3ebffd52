import TestSupport

extension NumberedSource {
    /// An endless stream of 320x180, for real-time tests on small machines.
    static let small = NumberedSource.with {
        $0.width = 320
        $0.height = 180
        $0.bitrate = 400
        $0.duration = nil
    }

    static func small(_ change: (inout NumberedSource) -> Void) -> NumberedSource {
        var source = small
        change(&source)
        return source
    }

    static func small(seconds: Double, _ change: (inout NumberedSource) -> Void = { _ in }) -> NumberedSource {
        var source = small
        source.duration = .seconds(seconds)
        change(&source)
        return source
    }
}
