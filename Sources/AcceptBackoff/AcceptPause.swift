import Glibc
package import NIOCore

/// Stops accepting connections for a second when no file descriptors are left: without the pause, the waiting clients
/// would wake the thread of the server repeatedly. Must be the first handler in the pipeline of the server's
/// channel.
package final class AcceptPause: ChannelDuplexHandler {
    package typealias InboundIn = NIOAny
    package typealias OutboundIn = NIOAny

    private static let length = TimeAmount.seconds(1)
    private var isOn = false

    package init() {}

    /// Handles a lack of descriptors or memory, which ends by itself, and passes other errors on.
    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let lack = error as? IOError, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(lack.errnoCode) else {
            return context.fireErrorCaught(error)
        }
        guard !isOn else { return }
        isOn = true
        // It is not enough to request no further read: the failed one is still pending.
        let channel = context.channel
        _ = channel.setOption(.autoRead, value: false)
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.length) {
            self.isOn = false
            _ = channel.setOption(.autoRead, value: true)
        }
    }

    /// Drops the reads that are requested during the pause. Its end requests one.
    package func read(context: ChannelHandlerContext) {
        if !isOn { context.read() }
    }
}
