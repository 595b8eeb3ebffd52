import BoxConfiguration

extension FuzzTarget {
    /// A configuration file of any content: every mistake is said with its place, and what is taken can be shown.
    static let configuration = FuzzTarget(
        name: "configuration",
        words: [
            "channels:", "- name: ", "sources:", "groups:", "targets:", "rtmp:", "srt:", "pull:", "capture:", "raw:",
            "file:", "test:", "slate:", "mezzanine:", "video:",
            "audio:", "url:", "key:", "passphrase:", "credential:", "env:", "listen:", "record:", "status:",
            "encoders:", "order:", "{ ", " }", "[ ", " ]", "&a ", "*a", "|\n",
            ">\n", "? ", "<<: ", "---\n", "!!", "\"", "'", "\n  ", "\t", "#", "~", "1920x1080", "30000/1001", "500ms",
            "6000k", "20G", "0.0.0.0:1935", "rtmp://h/a", "true",
        ]
    ) { input in
        let text = input.text
        do {
            let file = try ConfigurationFile.parse(text, name: "box.yaml", ownerOnly: true, checksFiles: false)
            let shown = ConfigurationSummary.render(file.configuration)
            try demand(!shown.isEmpty, "nothing is shown of what was understood")
            let again = try? ConfigurationFile.parse(text, name: "box.yaml", ownerOnly: true, checksFiles: false)
            try demand(again == file, "the same text is understood in another way the second time")
        } catch let error as ConfigurationError {
            try demand(!error.problems.isEmpty, "the file is refused without a reason")
            for problem in error.problems {
                try demand(problem.line >= 0 && problem.column >= 0, "a problem at \(problem.line):\(problem.column)")
                try demand(!problem.message.isEmpty, "a problem without words at \(problem.line):\(problem.column)")
                try demand(
                    problem.message.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F },
                    "a problem with control characters: \(problem.message.debugDescription)")
            }
        }
    }
}
