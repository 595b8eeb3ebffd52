extension FFmpegCapabilities {
    /// The capabilities of a build, such as Debian's, with everything that the service's command lines use. Used where
    /// no FFmpeg is asked.
    package static func complete(_ version: FFmpegVersion) -> FFmpegCapabilities {
        let protocols: Set = [
            "crypto", "data", "file", "http", "https", "pipe", "rtmp", "rtmps", "rtp", "srt", "tcp", "tls", "udp",
        ]
        let since61 = version.equivalent.map { $0 >= FFmpegVersion.Release(major: 6, minor: 1) } ?? true
        return FFmpegCapabilities(
            version: version,
            encoders: [
                "aac", "h264_nvenc", "h264_qsv", "h264_v4l2m2m", "h264_vaapi", "hevc_nvenc", "hevc_qsv", "hevc_vaapi",
                "libx264", "libx265", "rawvideo",
            ],
            decoders: [
                "aac", "ac3", "adpcm_swf", "eac3", "flac", "h264", "hevc", "mp3", "nellymoser", "opus", "pcm_alaw",
                "pcm_mulaw", "pcm_s16le", "rawvideo", "speex",
            ],
            filters: [
                "aformat", "aresample", "atrim", "bwdif", "crop", "drawtext", "format", "fps", "framestep", "gradients",
                "hwupload", "loop", "pad", "scale", "scale_vaapi",
                "setpts", "setsar", "settb", "sine", "testsrc2", "trim", "volume",
            ],
            bitstreamFilters: ["aac_adtstoasc", "extract_extradata", "h264_mp4toannexb", "hevc_mp4toannexb"],
            inputProtocols: protocols, outputProtocols: protocols,
            demuxers: [
                "alsa", "concat", "data", "flv", "ivf", "lavfi", "mpegts", "rtp", "rtsp", "v4l2", "video4linux2",
            ],
            muxers: ["data", "flv", "mpegts", "nut", "segment"],
            options: Set(["fps_mode", "reinit_filter"]).union(since61 ? ["readrate_initial_burst"] : []),
            srtOptions: usualSRTOptions.union((version.equivalent?.major ?? .max) < 9 ? [] : ["ipv6only"]),
            rtspOptions: Set(["rtsp_transport"]).union((version.equivalent?.major ?? .max) < 9 ? [] : ["tls_verify"]),
            x265Options: (version.equivalent?.major ?? .max) < 7 ? ["x265-params"] : ["a53cc", "x265-params"],
            hwaccels: ["cuda", "drm", "qsv", "vaapi"],
            acceptsRateWithPassthrough: (version.equivalent?.major ?? .max) < 6,
            presetReachesOutput: (version.equivalent?.major ?? .max) < 9)
    }

    /// The options of FFmpeg 5.1, which later versions have too.
    private static let usualSRTOptions: Set<String> = [
        "connect_timeout", "enforced_encryption", "ffs", "inputbw", "iptos", "ipttl", "kmpreannounce", "kmrefreshrate",
        "latency", "linger",
        "listen_timeout", "lossmaxttl", "maxbw", "messageapi", "minversion", "mode", "mss", "nakreport", "oheadbw",
        "passphrase", "payload_size",
        "pbkeylen", "peerlatency", "pkt_size", "rcvbuf", "rcvlatency", "recv_buffer_size", "send_buffer_size",
        "smoother", "sndbuf", "snddropdelay",
        "srt_streamid", "streamid", "timeout", "tlpktdrop", "transtype", "tsbpd", "tsbpddelay",
    ]
}
