import Glibc
package import NIOCore

/// Keeps a server's socket shut for a while when there are no descriptors left: who waits there would wake its thread
/// again and again. It belongs first in the pipeline of the server's channel.
package final class AcceptPause: ChannelDuplexHandler {
    package typealias InboundIn = NIOAny
    package typealias OutboundIn = NIOAny

    private static let length = TimeAmount.seconds(1)
    private var isOn = false

    package init() {}

    /// A lack goes no further: it is over by itself.
    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let lack = error as? IOError, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(lack.errnoCode) else {
            return context.fireErrorCaught(error)
        }
        guard !isOn else { return }
        isOn = true
        // A read that is only not asked for again would not do: the one that failed still stands.
        let channel = context.channel
        _ = channel.setOption(.autoRead, value: false)
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.length) {
            self.isOn = false
            _ = channel.setOption(.autoRead, value: true)
        }
    }

    /// The end of the pause asks for what was not asked for meanwhile.
    package func read(context: ChannelHandlerContext) {
        if !isOn { context.read() }
    }
}
