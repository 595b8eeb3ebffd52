import BoxConfiguration

extension FuzzTarget {
    /// A configuration file with any content: every error has a position, and an accepted file can be shown.
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
            try demand(!shown.isEmpty, "the summary of an accepted file is empty")
            let again = try? ConfigurationFile.parse(text, name: "box.yaml", ownerOnly: true, checksFiles: false)
            try demand(again == file, "the same text gives another result the second time")
        } catch let error as ConfigurationError {
            try demand(!error.problems.isEmpty, "the file is rejected without a reason")
            for problem in error.problems {
                try demand(problem.line >= 0 && problem.column >= 0, "a problem at \(problem.line):\(problem.column)")
                try demand(!problem.message.isEmpty, "a problem without a message at \(problem.line):\(problem.column)")
                try demand(
                    problem.message.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F },
                    "a problem with control characters: \(problem.message.debugDescription)")
            }
        }
    }
}
