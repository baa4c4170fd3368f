"""Well-known modules whose tests are run: heavy in reflection, generics, assembly, goroutines, unsafe. Versions are those of testbins/torture/go.mod."""

from __future__ import annotations
from places import TESTBINS


FOLDER = TESTBINS / "torture"
MODULES: dict[str, list[str]] = {
    "github.com/google/go-cmp": ["github.com/google/go-cmp/..."],
    "github.com/samber/lo": ["github.com/samber/lo", "github.com/samber/lo/mutable"],
    "github.com/goccy/go-json": ["github.com/goccy/go-json", "github.com/goccy/go-json/internal/...", "github.com/goccy/go-json/test/cover"],
    "github.com/json-iterator/go": [f"github.com/json-iterator/go/{part}" for part in ("any_tests", "api_tests", "extension_tests", "extra", "misc_tests", "type_tests", "value_tests")],
    "go.uber.org/zap": ["go.uber.org/zap/..."],
    "golang.org/x/crypto": [f"golang.org/x/crypto/{part}" for part in ("argon2", "blake2b", "blake2s", "chacha20", "chacha20poly1305", "cryptobyte", "curve25519", "internal/poly1305", "nacl/...", "salsa20/...", "scrypt", "sha3", "ssh", "ssh/agent")],
    "github.com/klauspost/compress": [f"github.com/klauspost/compress/{part}" for part in ("flate", "fse", "gzhttp", "gzip", "huff0", "s2", "snappy", "zip", "zlib", "zstd")],
    "gonum.org/v1/gonum": ["gonum.org/v1/gonum/blas/...", "gonum.org/v1/gonum/internal/asm/...", "gonum.org/v1/gonum/mat"],
    "google.golang.org/protobuf": [f"google.golang.org/protobuf/{part}" for part in ("encoding/...", "internal/encoding/...", "internal/impl", "internal/filedesc", "internal/order", "internal/reflection_test", "proto", "reflect/...", "testing/...", "types/...")],
    "github.com/dgraph-io/ristretto": ["github.com/dgraph-io/ristretto/v2", "github.com/dgraph-io/ristretto/v2/z", "github.com/dgraph-io/ristretto/v2/z/simd"],
    "github.com/puzpuzpuz/xsync": ["github.com/puzpuzpuz/xsync/v3"],
    "github.com/panjf2000/ants": ["github.com/panjf2000/ants/v2/..."],
}  # fmt: skip
"""Module -> patterns of its packages: not those whose tests start other programs or take minutes as they are."""


def versions() -> list[str]:
    """Of the modules, as go.mod has them."""
    lines = [line.split() for line in (FOLDER / "go.mod").read_text().splitlines() if line.startswith("\t")]
    return [f"{words[0]} {words[1]}" for words in lines if any(words[0].startswith(module) for module in MODULES)]
