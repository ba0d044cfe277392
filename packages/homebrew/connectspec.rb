# For a tap of our own: `brew install connectspec/tap/connectspec`, on Linux. docs/releasing.md says what to fill in.
class Connectspec < Formula
  desc "Conformance suite for HTTP CONNECT proxies"
  homepage "https://github.com/connectspec/connectspec"
  version "0.1.0"
  license any_of: ["MIT", "Apache-2.0"]

  depends_on :linux

  on_arm do
    url "https://github.com/connectspec/connectspec/releases/download/v#{version}/connectspec-#{version}-aarch64-unknown-linux-musl.tar.gz"
    sha256 "@SHA256_AARCH64@"
  end
  on_intel do
    url "https://github.com/connectspec/connectspec/releases/download/v#{version}/connectspec-#{version}-x86_64-unknown-linux-musl.tar.gz"
    sha256 "@SHA256_X86_64@"
  end

  def install
    bin.install "connectspec"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/connectspec.bash" => "connectspec"
    zsh_completion.install "completions/connectspec.zsh" => "_connectspec"
    fish_completion.install "completions/connectspec.fish"
  end

  test do
    system bin/"connectspec", "run", "--quiet", "establish", "close"
  end
end
