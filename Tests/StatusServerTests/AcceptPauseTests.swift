import AcceptBackoff
import Glibc
import NIOCore
import NIOEmbedded
import Testing

/// A server channel without free file descriptors.
@Suite struct AcceptPauseTests {
    /// Counts the reads of the socket.
    private final class Reads: ChannelOutboundHandler {
        typealias OutboundIn = Never
        var count = 0

        func read(context: ChannelHandlerContext) { count += 1 }
    }

    /// Records the errors that are passed on.
    private final class Errors: ChannelInboundHandler {
        typealias InboundIn = Never
        var codes: [CInt] = []

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            codes.append((error as? IOError)?.errnoCode ?? 0)
        }
    }

    private func isOpen(_ channel: EmbeddedChannel) -> Bool? {
        channel.options.last { $0.option is ChannelOptions.Types.AutoReadOption }.flatMap { $0.value as? Bool }
    }

    @Test(
        "a lack of descriptors pauses reads for a second and is not passed on",
        arguments: [EMFILE, ENFILE, ENOBUFS, ENOMEM])
    func lack(code: CInt) throws {
        let (channel, reads, errors) = (EmbeddedChannel(), Reads(), Errors())
        try channel.pipeline.syncOperations.addHandlers([reads, AcceptPause(), errors])
        for _ in 0..<2 {
            reads.count = 0
            channel.pipeline.fireErrorCaught(IOError(errnoCode: code, reason: "accept"))
            #expect(isOpen(channel) == false)
            channel.embeddedEventLoop.advanceTime(by: .milliseconds(500))
            // A second error does not extend the pause, and a read during the pause does not end it.
            channel.pipeline.fireErrorCaught(IOError(errnoCode: code, reason: "accept"))
            channel.pipeline.read()
            channel.embeddedEventLoop.advanceTime(by: .milliseconds(499))
            #expect(isOpen(channel) == false && reads.count == 0)
            channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
            channel.pipeline.read()
            #expect(isOpen(channel) == true && reads.count == 1)
        }
        #expect(errors.codes.isEmpty)
    }

    @Test("other errors are passed on, and reads continue")
    func others() throws {
        let (channel, reads, errors) = (EmbeddedChannel(), Reads(), Errors())
        try channel.pipeline.syncOperations.addHandlers([reads, AcceptPause(), errors])
        channel.pipeline.fireErrorCaught(IOError(errnoCode: ECONNABORTED, reason: "accept"))
        channel.pipeline.fireErrorCaught(ChannelError.operationUnsupported)
        channel.pipeline.read()
        #expect(errors.codes == [ECONNABORTED, 0] && isOpen(channel) == nil && reads.count == 1)
    }
}
