import BoxConfiguration
import DataPath
import Logging
import MediaTypes

/// Encodes the frames of a card or a raw source with the best encoder of the box, as long as one stream of frames
/// lasts.
final class MezzanineRunner: Sendable {
    private let statistics: ProcessStatistics
    let session: EncoderSession<MezzanineEncoding>

    /// - Parameters:
    ///   - subject: The name under which the source asks for encoders.
    ///   - rate: Frames per second. `nil` if it is not known.
    init(
        _ subject: String, of frames: DataPath.Attachment, size: FrameSize, rate: FrameRate?,
        mezzanine: MezzanineConfiguration, context: ServiceContext,
        dataPath: DataPath, statistics: ProcessStatistics, logger: Logger
    ) {
        self.statistics = statistics
        session = EncoderSession(
            subject, patience: .mezzanine, context: context, dataPath: dataPath, logger: logger,
            delegate: MezzanineEncoding(
                of: frames, rate: rate, encoding: mezzanine.encoding, job: mezzanine.job(size: size, rate: rate),
                statistics: statistics))
    }

    /// Ends the encoder: no more frames arrive.
    func finish() { session.finish() }

    /// Runs until ``finish()`` was called and the last process has ended.
    func run() async {
        await session.run()
        statistics.isEncoded(by: nil)
    }
}
