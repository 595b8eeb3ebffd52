import Foundation

func ms(_ seconds: Double) -> String { "\((seconds * 1000).formatted(1)) ms" }

/// Shows the progress of a benchmark, and overwrites the progress shown before.
func show(_ text: String) { FileHandle.standardError.write(Data("\r\u{1B}[K\(text)\r".utf8)) }
