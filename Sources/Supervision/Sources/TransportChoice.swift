import FFmpeg

/// Chooses the transport of an RTSP source where the configuration leaves it open.
struct TransportChoice: Sendable, Equatable {
    /// The transport of the next relay.
    private(set) var next = FFmpegRTSPTransport.auto

    /// Learns from the end of a relay that used ``next``.
    ///
    /// - Parameter hasDelivered: The relay was live, or its end was asked for: there is nothing to learn.
    mutating func ended(_ log: LogExcerpt, hasDelivered: Bool) {
        guard !hasDelivered else { return }
        switch next {
        case .auto, .tcp: next = RTSPSetup.mayTakeOtherTransport(log) ? .udp : .auto
        // By now it may be another camera.
        case .udp: next = .auto
        }
    }
}
