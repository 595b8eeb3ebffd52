import DataPath
import FFmpeg
import Testing

@testable import Supervision

/// How the audio of a publisher is treated, depending on its FFmpeg.
@Suite struct AudioConverterRunnerTests {
    private static let aac = "have the encoder send AAC-LC"
    private static let one = "set the encoder to send one, in AAC-LC"
    private static let tracks = ForeignAudio(
        name: "several audio tracks", codec: nil, statement: "several audio tracks arrive", isSeveralTracks: true)

    @Test("FFmpeg reads and decodes the audio -> it is converted", arguments: ["5.1", "7.1", "9.0"])
    func converted(version: String) {
        for codec in ["mp3", "pcm_mulaw", "pcm_alaw", "pcm_s16le", "adpcm_swf", "speex", "nellymoser", "aac"] {
            let audio = ForeignAudio(name: codec, codec: codec)
            #expect(AudioConverterRunner.remedy(for: audio, in: .complete(version)) == nil, "\(codec)")
        }
    }

    @Test("audio of Enhanced RTMP -> converted by FFmpeg 8 or later", arguments: ["opus", "flac", "ac3", "eac3"])
    func enhanced(codec: String) {
        let audio = ForeignAudio(name: codec, codec: codec)
        for version in ["5.1", "7.1"] {
            #expect(
                AudioConverterRunner.remedy(for: audio, in: .complete(version))
                    == "\(Self.aac), or use FFmpeg 8 or later")
        }
        for version in ["8.0", "9.0"] {
            #expect(AudioConverterRunner.remedy(for: audio, in: .complete(version)) == nil)
        }
    }

    @Test("FFmpeg lacks a part -> the remedy names it, if any FFmpeg can have it")
    func missing() {
        let speex = ForeignAudio(name: "Speex", codec: "speex")
        let named = "\(Self.aac), or set `ffmpeg:` to one that has the "
        let deaf = FFmpegCapabilities.complete("9.0", withoutDecoders: ["speex"])
        #expect(AudioConverterRunner.remedy(for: speex, in: deaf) == named + "decoder speex")
        #expect(
            AudioConverterRunner.remedy(for: speex, in: .complete("9.0", without: ["aac"])) == named + "encoder aac")
        let unknown = ForeignAudio(name: "audio codec 9", codec: nil)
        #expect(AudioConverterRunner.remedy(for: unknown, in: .complete("9.0")) == Self.aac)
        #expect(AudioConverterRunner.remedy(for: Self.tracks, in: .complete("9.0")) == Self.one)
    }

    @Test("audio of each kind -> a note on the audio, its treatment, and the fix")
    func notes() {
        #expect(
            SourceNote.converted(ForeignAudio(name: "MP3", codec: "mp3")) == "its audio is MP3: it is converted to AAC")
        let aac = ForeignAudio(name: "AAC-LC at 48 kHz mono", codec: "aac")
        #expect(SourceNote.converted(aac) == "its audio is AAC-LC at 48 kHz mono: it is converted")
        let opus = ForeignAudio(name: "Opus", codec: "opus")
        for note in [SourceNote.unusable(opus, Self.aac), SourceNote.unconverted(opus)] {
            #expect(note.contains("Opus") && note.contains("silence is sent in its place") && note.contains(Self.aac))
        }
        let words = "several audio tracks arrive, and none can be used: silence is sent in their place; \(Self.one)"
        #expect(SourceNote.unusable(Self.tracks, Self.one) == words)
    }
}
