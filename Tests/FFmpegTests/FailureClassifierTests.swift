import Testing

@testable import FFmpeg

@Suite struct FailureClassifierTests {
    @Test("a cause has a sentence, whatever its name in the code")
    func words() {
        for cause in FailureCause.allCases {
            #expect(cause.rawValue.allSatisfy { $0 == "-" || $0.isLowercase }, "\(cause.rawValue)")
        }
    }

    private func cause(
        _ role: FFmpegCommand.Role, _ status: ChildStatus, _ lines: [String], isOutputOpen: Bool = false,
        usesDisk: Bool = false
    ) -> FailureCause {
        var log = LogExcerpt()
        for line in lines { log.append(line) }
        return FailureClassifier.cause(
            role: role, status: status, log: log, isOutputOpen: isOutputOpen, usesDisk: usesDisk)
    }

    @Test(
        "a server that is silent did not answer; one that closes earlier rejected the key"
    )
    func silentServer() {
        var log = LogExcerpt()
        log.append("rtmp://127.0.0.1:23200/live/****: Input/output error")
        func cause(_ lasted: Duration) -> FailureCause {
            FailureClassifier.cause(role: .publisher, status: .exited(1), log: log, isOutputOpen: false, lasted: lasted)
        }
        #expect(cause(.seconds(2)) == .rejected)
        #expect(cause(.seconds(10.6)) == .timeout)
    }

    @Test(
        "messages of drivers and encoders -> their cause",
        arguments: [
            ("Failed to initialise VAAPI connection: 34 (HW busy now).|Device creation failed: -5.", .driverError),
            ("Failed to initialise VAAPI connection: -1 (unknown libva error).", .driverMissing),
            ("No VA display found for device /dev/dri/renderD128.|Device creation failed: -22.", .deviceGone),
            ("No usable encoding entrypoint found for profile VAProfileH264High (7).", .unsupported),
            ("Hardware does not support encoding at size 640x368 (constraints: width 0-0 height 0-0).", .unsupported),
            ("Failed to end picture encode issue: 24 (internal encoding error).", .driverError),
            ("Failed to sync to output buffer completion: 1", .driverError),
            ("Failed to upload frame: -5.", .driverError),
            ("Impossible to convert between the formats supported by the filter 'a' and the filter 'b'", .unsupported),
            ("Cannot load libcuda.so.1|Error initializing output stream", .driverMissing),
            ("cuInit(0) failed -> CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected", .deviceGone),
            ("Driver does not support the required nvenc API version. Required: 11.1 Found: 10.0", .driverMissing),
            ("OpenEncodeSessionEx failed: out of memory (10): (no details)|No capable devices found", .sessionLimit),
            ("EncodePicture failed!: generic error (20)", .driverError),
            ("InitializeEncoder failed: invalid param (8): ", .unsupported),
            ("Failed to create encode pipeline context: 34 (HW busy now).", .sessionLimit),
            (
                "Failed to create processing pipeline config: 13 (the requested VAEntryPoint is not supported).",
                .unsupported
            ),
            ("Error initializing an MFX session: -3.|Device creation failed: -1313558101.", .driverMissing),
            ("Device creation failed: -13.", .permission),
            ("InitializeEncoder failed: out of memory (10): |Error initializing output stream", .sessionLimit),
            ("cuCtxCreate failed -> CUDA_ERROR_OUT_OF_MEMORY: out of memory", .sessionLimit),
            ("Failed to create surface: 2 (resource allocation failed).", .sessionLimit),
            ("Failed to create surface: 1 (operation failed).", .driverError),
            ("Failed to create encode pipeline configuration: 34 (HW busy now).", .driverError),
            ("Failed to end picture encode issue: -1 (unknown libva error).", .driverError),
            ("Failed to query profiles: 1 (operation failed).", .driverError),
            ("Failed locking bitstream buffer: generic error (20): ", .driverError),
            ("Driver does not support CBR RC mode (supported modes: CQP, QVBR).", .unsupported),
            // An encoder has no peer that could have closed a connection.
            (
                "Failed to start picture processing: 1 (operation failed).|Error while filtering: Input/output error",
                .driverError
            ),
            ("Error while filtering: Input/output error", .driverError),
            ("av_interleaved_write_frame(): Broken pipe", .reset),
            ("Unknown encoder 'nosuch'", .unsupported),
            // FFmpeg 7.1 and 9.0: the later lines only repeat the number.
            (
                """
                Cannot load cuDriverGetVersion|Error while opening encoder|Error sending frames to consumers: \
                Operation not permitted
                """,
                .driverMissing
            ),
            (
                """
                [h264_qsv @ 0x1] Error creating a MFX session: -9.|Error sending frames to consumers: Unknown \
                error occurred
                """,
                .driverMissing
            ),
            (
                """
                Driver does not support the required nvenc API version. Required: 12.1 Found: 10.0|Error sending \
                frames to consumers: Function not implemented
                """,
                .driverMissing
            ),
            (
                """
                EncodePicture failed!: generic error (20): as it says|Error encoding a frame: Unknown error \
                occurred|Task finished with error code: -1313558101
                """,
                .driverError
            ),
            (
                """
                Failed to create temp encode pipeline configuration: 34 (HW busy now).|Task finished with error \
                code: -5 (Input/output error)
                """,
                .driverError
            ),
            (
                """
                Error sending frames to consumers: Operation not permitted|Terminating thread with return code -1 \
                (Operation not permitted)
                """,
                .unknown
            ),
            ("Failed to end picture encode issue: 99 (unknown libva error / description missing).", .driverError),
            // NVENC
            (
                """
                Failed locking nvenc input buffer: generic error (20): |Error sending frames to consumers: Unknown \
                error occurred
                """,
                .driverError
            ),
            ("Failed unlocking input buffer!: generic error (20): ", .driverError),
            (
                "Failed unlocking bitstream buffer, expect the gates of mordor to open: generic error (20): ",
                .driverError
            ),
            ("CreateInputBuffer failed: out of memory (10): |Error while opening encoder", .sessionLimit),
            ("CreateInputBuffer failed: generic error (20): ", .driverError),
            ("CreateBitstreamBuffer failed: out of memory (10): |Error while opening encoder", .sessionLimit),
            ("CreateBitstreamBuffer failed: generic error (20): ", .driverError),
            ("Failed to query nvenc max version: generic error (20): (no details)", .driverMissing),
            ("Failed to create nvenc instance: invalid version (15): (no details)", .driverMissing),
            ("Cannot get the preset configuration: unsupported param (12): ", .unsupported),
            ("Cannot get the preset configuration: generic error (20): ", .driverError),
            (
                """
                Error registering an input resource: resource register failed (23): |Could not register an input \
                HW frame
                """,
                .driverError
            ),
            ("Error mapping an input resource: map failed (16): ", .driverError),
            ("GetSequenceParams failed: generic error (20): ", .driverError),
            ("failed to reconfigure nvenc: generic error (20): ", .driverError),
            (
                "EncodePicture failed!: device does not exist (5): |Error encoding a frame: Input/output error",
                .deviceGone
            ),
            ("InitializeEncoder failed: device does not exist (5): ", .deviceGone),
            ("OpenEncodeSessionEx failed: unsupported device (2): (no details)|No capable devices found", .unsupported),
            ("Requested GPU 1, but only 1 GPUs are available!|Error while opening encoder", .deviceGone),
            (
                """
                OpenEncodeSessionEx failed: out of memory (10): (no details)|Requested GPU 1, but only 2 GPUs are \
                available!
                """,
                .sessionLimit
            ),
            (
                """
                dl_fn->cuda_dl->cuCtxPushCurrent(ctx->cu_context) failed|Error encoding a frame: Generic error in \
                an external library
                """,
                .driverError
            ),
            // VA-API
            (
                """
                Failed to map output buffers: 6 (invalid VASurfaceID).|Output failed: -5.|Task finished with error \
                code: -5 (Input/output error)
                """,
                .driverError
            ),
            (
                "Failed to begin picture encode issue: 5 (invalid VAContextID).|Encode failed: Input/output error.",
                .driverError
            ),
            ("Failed to upload encode parameters: 18 (invalid parameter).|Encode failed: -5.", .driverError),
            ("Encode failed: -5.|Error encoding a frame: Input/output error", .driverError),
            ("Hardware does not support scaling to size 640x360 (constraints: width 0-0 height 0-0).", .unsupported),
            (
                """
                No usable render target format found for profile VAProfileH264High (7) entrypoint \
                VAEntrypointEncSlice (6).
                """,
                .unsupported
            ),
            ("Failed to create surface: 19 (resolution not supported).", .unsupported),
            // The first is a warning, also of an encoder that works.
            (
                """
                Driver does not support some wanted packed headers (wanted 0xd, found 0x1).|Failed to sync to \
                output buffer completion: 1
                """,
                .driverError
            ),
            // Quick Sync
            ("Error during encoding: device failed (-17)|Error submitting the frame for encoding.", .driverError),
            ("Error initializing the encoder: device lost (-13)", .driverError),
            ("Error initializing the encoder: invalid video parameters (-15)", .unsupported),
            (
                """
                Current resolution is unsupported|some encoding parameters are not supported by the QSV runtime. \
                Please double check the input parameters.
                """,
                .unsupported
            ),
            ("Error submitting the frame for encoding.|Error encoding a frame: Unknown error occurred", .driverError),
            ("Error setting a HW handle: invalid handle (-6)", .driverError),
        ] as [(String, FailureCause)])
    func encoders(text: String, wanted: FailureCause) {
        #expect(cause(.encoder, .exited(1), text.split(separator: "|").map(String.init)) == wanted)
    }

    @Test("an error repeated by its number has the cause of the words before it")
    func echoes() {
        #expect(
            cause(
                .relay, .exited(187),
                ["[in#0/mpegts @ 0x1] could not find codec parameters", "Error opening input files: End of file"])
                == .invalidData)
        #expect(cause(.relay, .exited(187), ["Error opening input files: End of file"]) == .reset)
        #expect(
            cause(
                .publisher, .exited(145),
                [
                    "Connection to tcp://127.0.0.1:1 failed: Connection refused",
                    "Error opening output files: Connection refused",
                ]) == .connectionRefused)
        #expect(
            cause(
                .publisher, .exited(243),
                [
                    "[out#0/flv @ 0x1] Error opening output rtmp://h/a: Permission denied",
                    "Error opening output files: Permission denied",
                ])
                == .permission)
        #expect(
            cause(
                .publisher, .exited(251),
                [
                    "[tls @ 0x1] Peer certificate failed verification",
                    "Error opening output rtmps://h/a: Input/output error",
                ]) == .untrusted)
        #expect(
            cause(
                .relay, .exited(1),
                [
                    "[tls @ 0x1] The certificate's owner does not match hostname localhost",
                    "rtmps://localhost/a: Input/output error",
                ]) == .misnamed)
        var log = LogExcerpt()
        for line in ["the cause", "Task finished with error code: -5 (Input/output error)"] { log.append(line) }
        #expect(log.last(1) == ["the cause"])
    }

    @Test("a card that another program uses is busy, and an unplugged one is gone")
    func cards() {
        #expect(
            cause(
                .relay, .exited(1),
                ["ioctl(VIDIOC_STREAMON): Device or resource busy", "/dev/video0: Device or resource busy"]) == .busy)
        #expect(cause(.relay, .exited(0), ["ioctl(VIDIOC_DQBUF): No such device"]) == .deviceGone)
    }

    @Test(
        "a publisher's messages when its target fails, from FFmpeg 5.1.9 -> their cause",
        arguments: [
            (
                """
                [tcp @ 0x5607d1] Connection to tcp://127.0.0.1:38467?tcp_nodelay=0 failed: Connection \
                refused|rtmp://127.0.0.1:38467/a: Connection refused
                """,
                .connectionRefused
            ),
            (
                """
                [srt @ 0x5610cf] Connection to srt://127.0.0.1:38467 failed: Input/output \
                error|srt://127.0.0.1:38467: Input/output error
                """,
                .timeout
            ),
            (
                """
                [tcp @ 0x558d] Failed to resolve hostname no.such.host.invalid: Name or service not \
                known|rtmp://no.such.host.invalid/a: Input/output error
                """,
                .unresolved
            ),
            (
                "[rtmp @ 0x563a] Server error: Already publishing|rtmp://127.0.0.1:57071/live: Operation not permitted",
                .rejected
            ),
            ("rtmp://127.0.0.1:57071/nope: Input/output error", .rejected),
            (
                "[rtmp @ 0x55d4] Cannot read RTMP handshake response|rtmp://127.0.0.1:40385/a: Connection timed out",
                .timeout
            ),
            (
                """
                av_interleaved_write_frame(): Broken pipe|Error writing trailer of rtmp://127.0.0.1/deny: Broken \
                pipe|Conversion failed!
                """,
                .reset
            ),
            (
                """
                22:39:33.941742/SRT:RcvQ:w1!W:SRT.cn: processAsyncConnectRequest: REJECT reported from HS \
                processing: Incorrect passphrase - not processing further|srt://127.0.0.1:32989: Input/output error
                """,
                .rejected
            ),
            (
                """
                22:39:34.044458/SRT:RcvQ:w1!W:SRT.cn: processAsyncConnectRequest: REJECT reported from HS \
                processing: Password required or unexpected - not processing further
                """,
                .rejected
            ),
            (
                """
                [srt @ 0x562a] failed to set option SRTO_PASSPHRASE on socket: Operation not supported: Bad \
                parameters
                """,
                .rejected
            ),
            ("/proc/nope/x.ts: No such file or directory", .unwritable),
            ("[segment @ 0x1] Failed to open segment '/rec/a.ts'|/rec/a.ts: Permission denied", .unwritable),
            ("av_interleaved_write_frame(): No space left on device", .diskFull),
            ("something new", .unknown),
        ] as [(String, FailureCause)])
    func publishers(text: String, wanted: FailureCause) {
        #expect(cause(.publisher, .exited(1), text.split(separator: "|").map(String.init)) == wanted)
    }

    @Test(
        "a relay's messages when its source fails, from FFmpeg 5.1.9 -> their cause",
        arguments: [
            (
                """
                [rtmp @ 0x558d] Cannot open connection \
                tcp://127.0.0.1:40385?listen&listen_timeout=-1|rtmp://127.0.0.1:40385/a: Address already in use
                """,
                .addressInUse
            ),
            ("[srt @ 0x558d] Connection setup failure: unable to create/configure SRT socket", .addressInUse),
            (
                """
                [http @ 0x55d1] HTTP error 401 Unauthorized|x: Server returned 401 Unauthorized (authorization \
                failed)
                """,
                .rejected
            ),
            ("[rtsp @ 0x55da] method DESCRIBE failed: 404 Not Found|x: Server returned 404 Not Found", .notFound),
            ("[mpegts @ 0x5630] changing packet size to 188|pipe:0: could not find codec parameters", .invalidData),
            ("/nonexist.mp4: No such file or directory", .notFound),
            ("rtmp://0.0.0.0:80/a: Permission denied", .permission),
        ] as [(String, FailureCause)])
    func relays(text: String, wanted: FailureCause) {
        #expect(cause(.relay, .exited(1), text.split(separator: "|").map(String.init)) == wanted)
    }

    /// As FFmpeg 5.1, 7.1 and 9 print them, with the peer's words.
    private static let serverErrors: [(String, String)] = [
        (
            """
            [http @ 0x1] HTTP error 503 Service Unavailable
            http://127.0.0.1:1/x: Server returned 5XX Server Error reply
            """, "503 Service Unavailable"
        ),
        (
            """
            [http @ 0x1] HTTP error 429 Too Many Requests
            http://127.0.0.1:1/x: Server returned 4XX Client Error, but not one of 40{0,1,3,4}
            """, "429 Too Many Requests"
        ),
        (
            """
            [http @ 0x1] HTTP error 429 Too Many Requests
            [in#0 @ 0x1] Error opening input: Server returned 429 Too Many Requests
            Error opening input files: Server returned 429 Too Many Requests
            """, "429 Too Many Requests"
        ),
        ("rtsp://127.0.0.1:1/x: Server returned 400 Bad Request", "400 Bad Request"),
        ("[in#0 @ 0x1] Error opening input: Server returned 400 Bad Request", "400 Bad Request"),
        (
            """
            [rtsp @ 0x1] method DESCRIBE failed: 500 Internal Server Error
            rtsp://127.0.0.1:1/x: Server returned 5XX Server Error reply
            """, "500 Internal Server Error"
        ),
        (
            """
            [rtsp @ 0x1] method PLAY failed: 454Session Not Found
            [in#0 @ 0x1] Error opening input: Server returned 4XX Client Error, but not one of 40{0,1,3,4}
            """, "454 Session Not Found"
        ),
        (
            """
            [in#0 @ 0x1] method SETUP failed: 459 (Aggregate Operation Not Allowed)
            [in#0 @ 0x1] Error opening input: Server returned 4XX Client Error, but not one of 40{0,1,3,4}
            """, "459 Aggregate Operation Not Allowed"
        ),
    ]

    @Test("a server that answers with an error has a cause with the server's words", arguments: serverErrors)
    func serverError(text: String, words: String) {
        #expect(cause(.relay, .exited(8), lines(text)) == .serverError)
        var log = LogExcerpt()
        for line in lines(text) { log.append(line) }
        #expect(PeerWords.of(log) == words)
    }

    private func lines(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }

    /// As FFmpeg 5.1, 7.1 and 9 print it. The last is OpenSSL's, from its sources.
    private static let otherProtocols = [
        """
        [rtmp @ 0x1] Cannot read RTMP handshake response
        rtmp://127.0.0.1:1/a: Connection reset by peer
        """,
        """
        [rtmp @ 0x1] Cannot read RTMP handshake response
        [out#0/flv @ 0x1] Error opening output rtmp://127.0.0.1:1/a: End of file
        Error opening output files: End of file
        """,
        """
        [tls @ 0x1] The specified session has been invalidated for some reason.
        [rtmps @ 0x1] Cannot read RTMP handshake response
        rtmps://localhost:1/a: Input/output error
        """,
        """
        [tls @ 0x1] An unexpected TLS packet was received.
        [rtmps @ 0x1] Cannot open connection tls://localhost:1
        rtmps://localhost:1/a: Input/output error
        """,
        """
        [tls @ 0x1] An unexpected TLS handshake packet was received.
        [out#0/flv @ 0x1] Error opening output rtmps://localhost:1/a: Input/output error
        """,
        """
        [tls @ 0x1] IO error: Connection timed out
        [rtmps @ 0x1] Cannot open connection tls://localhost:1
        rtmps://localhost:1/a: Connection timed out
        """,
        """
        [tls @ 0x1] error:0A00010B:SSL routines::wrong version number
        rtmps://localhost:1/a: Input/output error
        """,
    ]

    @Test("a server with another protocol did not reject the key", arguments: otherProtocols)
    func otherProtocol(text: String) {
        #expect(cause(.publisher, .exited(1), lines(text)) == .wrongProtocol)
    }

    /// As FFmpeg 5.1, 7.1 and 9 print it.
    private static let ledElsewhere: [(String, FailureCause)] = [
        ("[https @ 0x1] Protocol 'http' not on whitelist 'crypto,data,tcp,tls,https,httpproxy'!", .unencrypted),
        (
            """
            [http @ 0x1] Protocol 'http' not on whitelist 'crypto,data,tcp,tls,https,httpproxy'!
            [hls @ 0x1] Error when loading first segment 'http://localhost:1/x.ts'
            [in#0 @ 0x1] Error opening input: Invalid data found when processing input
            """, .unencrypted
        ),
        ("Option tls_verify not found.", .unencrypted),
        ("Option ca_file not found.", .unencrypted),
        (
            """
            [hls @ 0x1] Format not on whitelist '\(RelayCommand.containers)'
            https://localhost:1/live?id=1: Invalid argument
            """, .playlist
        ),
        ("[mov @ 0x1] Format not on whitelist 'mpegts'", .unknown),
    ]

    @Test("an https server that leads to an unchecked address has a cause of its own", arguments: ledElsewhere)
    func elsewhere(text: String, wanted: FailureCause) {
        #expect(cause(.relay, .exited(234), lines(text)) == wanted)
    }

    @Test("unused TLS options show that FFmpeg follows a redirection to http")
    func redirected() {
        func isReported(_ text: String) -> Bool { PlainRedirect.isReported(by: LogLine(parsing: text)) }
        #expect(isReported("[concat @ 0x1] [warning] Unused options for 'https://u:p@localhost:1/live'."))
        #expect(!isReported("[concat @ 0x1] [warning] Unused options for 'http://localhost:1/live'."))
        #expect(!isReported("[error] https://localhost:1/Unused options for 'https://"))
    }

    @Test("an RTMPS server that is silent after TLS, or unreachable, did not answer")
    func silentTLS() {
        let handshake = [
            "[tls @ 0x1] IO error: Connection timed out", "[rtmps @ 0x1] Cannot read RTMP handshake response",
            "rtmps://h/a: Connection timed out",
        ]
        #expect(cause(.publisher, .exited(1), handshake) == .timeout)
        let connection = [
            "[tcp @ 0x1] Connection to tcp://h:1 failed: Connection timed out",
            "[rtmps @ 0x1] Cannot open connection tls://h:1", "rtmps://h:1/a: Connection timed out",
        ]
        #expect(cause(.publisher, .exited(1), connection) == .timeout)
    }

    @Test("a certificate that an FFmpeg with OpenSSL refuses is not trusted")
    func openSSL() {
        let text = """
            [tls @ 0x1] error:0A000086:SSL routines::certificate verify failed
            [rtmps @ 0x1] Cannot open connection tls://localhost:1
            rtmps://localhost:1/a: Input/output error
            """
        #expect(cause(.publisher, .exited(1), lines(text)) == .untrusted)
    }

    /// As FFmpeg 5.1, 7.1 and 9 print them.
    private static let diskErrors: [(String, FailureCause)] = [
        (
            """
            av_interleaved_write_frame(): Input/output error
            Error writing trailer of /r/a-%H%M%S.ts: Input/output error
            """, .diskError
        ),
        (
            """
            av_interleaved_write_frame(): Stale file handle
            Error writing trailer of /r/a-%H%M%S.ts: Stale file handle
            """, .diskError
        ),
        (
            """
            av_interleaved_write_frame(): File too large
            Error writing trailer of /r/a-%H%M%S.ts: File too large
            """, .fileTooLarge
        ),
        (
            """
            [aost#0:1/copy @ 0x1] Error submitting a packet to the muxer: Input/output error
            [out#0/segment @ 0x1] Task finished with error code: -5 (Input/output error)
            """, .diskError
        ),
        (
            """
            [aost#0:1/copy @ 0x1] Error submitting a packet to the muxer: File too large
            [out#0/segment @ 0x1] Error writing trailer: File too large
            """, .fileTooLarge
        ),
        (
            """
            [segment @ 0x1] Failed to open segment '/r/a.ts'
            [out#0/segment @ 0x1] Could not write header (incorrect codec parameters ?): Stale file handle
            """, .diskError
        ),
        ("av_interleaved_write_frame(): No space left on device", .diskFull),
    ]

    @Test("a recording that cannot be written has a failing disk, and no peer", arguments: diskErrors)
    func disk(text: String, wanted: FailureCause) {
        #expect(cause(.publisher, .exited(1), lines(text), usesDisk: true) == wanted)
    }

    /// In the middle of a file FFmpeg ends with status 0.
    @Test(
        "a source file that cannot be read to its end has a failing disk",
        arguments: [
            (0, "file:/m/x.ts: Input/output error"),
            (0, "[in#0/mpegts @ 0x1] Error during demuxing: Input/output error"),
            (251, "[in#0 @ 0x1] Error opening input: Input/output error"),
        ] as [(Int32, String)])
    func brokenFile(code: Int32, line: String) {
        #expect(cause(.relay, .exited(code), [line], usesDisk: true) == .diskError)
    }

    @Test("recordings and files use a disk, and addresses do not")
    func whatUsesDisk() throws {
        func publisher(_ target: PublisherTarget) throws -> FFmpegCommand {
            try PublisherCommand(target: target).command(for: .debian12)
        }
        #expect(try publisher(.record(folder: "/r", name: "a", segment: .seconds(60), take: 0)).usesDisk)
        #expect(try !publisher(.rtmp(url: "rtmp://h/live", key: "k")).usesDisk)
        #expect(try RelayCommand(source: .file(path: "/m/x.ts", loop: false)).command(for: .debian12).usesDisk)
        #expect(try !RelayCommand(source: .pull(url: "http://h/x.ts")).command(for: .debian12).usesDisk)
    }

    @Test("an unplugged card and a publisher that left end with status 0 and a cause")
    func quietEnds() {
        #expect(
            cause(.relay, .exited(0), ["[video4linux2,v4l2 @ 0x1] ioctl(VIDIOC_DQBUF): No such device"]) == .deviceGone)
        #expect(cause(.relay, .exited(0), ["rtmp://127.0.0.1:1/live: Input/output error"]) == .ended)
    }

    /// As FFmpeg 5.1, 7.1 and 9 print it.
    @Test(
        "a stream cut off over HTTP differs from a file that came to its end",
        arguments: [
            (
                "[http @ 0x1] Stream ends prematurely at 184240, should be 9000000\nhttp://h/x: Input/output error",
                .reset
            ),
            ("http://127.0.0.1:1/x.ts: Connection reset by peer", .reset),
            ("[in#0/mpegts @ 0x1] Error during demuxing: Connection reset by peer", .reset),
            ("[in#0/mpegts @ 0x1] Error during demuxing: Connection timed out", .timeout),
            ("[mpegts @ 0x1] PES packet size mismatch", .ended),
        ] as [(String, FailureCause)])
    func cut(text: String, wanted: FailureCause) {
        #expect(cause(.relay, .exited(0), lines(text)) == wanted)
    }

    @Test("signals are crashes, except those from outside")
    func signals() {
        #expect(cause(.encoder, .signalled(11), []) == .crash)
        #expect(cause(.encoder, .signalled(6), ["CUDA_ERROR_NO_DEVICE"]) == .deviceGone)
        #expect(cause(.encoder, .signalled(9), ["anything"]) == .killed)
        #expect(cause(.encoder, .notStarted(reason: "x"), []) == .notStarted)
    }
}
