import EventLoop
import MPEGTS
package import SystemPackage

// The processes that convert the audio of sources.
extension DataPath {
    /// An attached audio converter, and the ends for its standard input and output, owned by the caller.
    package struct AudioConverterAttachment: Sendable {
        package var attachment: Attachment
        package var input: FileDescriptor
        package var output: FileDescriptor
        /// The first sample that the process has to output, counted from the first message of its input, where it
        /// continues another converter's audio. `nil` where it has to output all samples.
        package var firstSample: Int64?
    }

    /// The source whose audio was to be converted has ended.
    package struct NothingToConvert: Error, Sendable {}

    /// Makes the pipes for a process that converts a source's audio to AAC. The process gets the messages that the
    /// source's reader writes to its ``AudioSink``, and its output is the source's audio from then on. Nothing waits
    /// for the process, see ``AudioConverterEvent``.
    ///
    /// The process continues the audio after the last frame of the converter before. It may run beside one that is
    /// late.
    ///
    /// - Parameter sampleRate: The sample rate of the converted audio.
    /// - Throws: ``DescriptorError``, or ``NothingToConvert`` when the source has ended.
    package func attachAudioConverter(
        of source: Attachment, sampleRate: Int = AACFormat.stereo48.sampleRate,
        report: @escaping @Sendable (AudioConverterEvent) -> Void
    ) throws -> AudioConverterAttachment {
        guard case .source(let sourceReader, let input)? = endpoints[source] else { throw NothingToConvert() }
        let pipes = try ProcessPipes()
        let (pipe, unitReader) = try pipes.watch(owner: input, loop: loop) { AudioPipe($0, loop: loop) }
        let converter = AudioConverter(
            unitReader: unitReader, pipe: pipe, replayStart: input.audioReplayStart(of: sourceReader), loop: loop,
            report: report)
        let firstSample: Int64?
        do {
            firstSample = try input.add(converter, to: sourceReader, sampleRate: sampleRate)
        } catch {
            converter.close()
            pipes.closeProcessEnds()
            throw error
        }
        return AudioConverterAttachment(
            attachment: attach(.audioConverter(converter, of: input)), input: pipes.processInput,
            output: pipes.processOutput, firstSample: firstSample)
    }
}
