import FFmpeg

/// By which transport an RTSP source is asked next, where the configuration leaves that open.
struct TransportChoice: Sendable, Equatable {
    private(set) var next = RTSPWay.auto

    /// A relay that asked by ``next`` has ended.
    ///
    /// - Parameter hasDelivered: It was live, or its end was asked for: there is nothing to learn.
    mutating func ended(_ log: LogExcerpt, hasDelivered: Bool) {
        guard !hasDelivered else { return }
        switch next {
        case .auto, .tcp: next = RTSPSetup.mayTakeOtherTransport(log) ? .udp : .auto
        // The camera may be another one by now.
        case .udp: next = .auto
        }
    }
}
