# ruff: noqa: E501
"""The languages: name | type | extensions | file names | interpreters, names and types as in github-linguist (MIT)."""

TABLE = """
Python | programming | .py .pyi .pyw .pyx .pxd .bzl .star | SConstruct SConscript wscript BUILD.bazel | python pypy
JavaScript | programming | .js .mjs .cjs .jsx .es6 | Jakefile | node nodejs
TypeScript | programming | .ts .mts .cts | | deno bun ts-node
TSX | programming | .tsx | |
Java | programming | .java .jav | |
Kotlin | programming | .kt .kts .ktm | | kotlin
Scala | programming | .scala .sbt .sc | | scala
Groovy | programming | .groovy .gradle .gvy | Jenkinsfile | groovy
Clojure | programming | .clj .cljs .cljc .edn | | clojure bb
C | programming | .c .h .idc | | tcc
C++ | programming | .cpp .cc .cxx .c++ .hpp .hh .hxx .h++ .ipp .tpp .inl .ino | |
C# | programming | .cs .csx .cake | |
F# | programming | .fs .fsi .fsx | |
Visual Basic .NET | programming | .vb .vbs | |
Objective-C | programming | .mm | |
MATLAB | programming | .m | |
Swift | programming | .swift | | swift
Go | programming | .go | |
Rust | programming | .rs | | rust-script
Zig | programming | .zig .zon | |
D | programming | .d .di | | rdmd
Nim | programming | .nim .nims | |
Crystal | programming | .cr | | crystal
V | programming | .vsh | |
Ruby | programming | .rb .rake .gemspec .ru .jbuilder .podspec | Rakefile Gemfile Guardfile Vagrantfile Capfile Brewfile Podfile Fastfile Dangerfile | ruby jruby rbx
PHP | programming | .php .php3 .php4 .php5 .phtml .inc | | php
Blade | markup | .blade.php | |
Perl | programming | .pl .pm .t .psgi | cpanfile | perl
Raku | programming | .raku .rakumod .p6 .pm6 | | raku perl6
Lua | programming | .lua .rockspec | .luacheckrc | lua luajit texlua
R | programming | .r .rsx | .Rprofile | Rscript
Julia | programming | .jl | | julia
Dart | programming | .dart | | dart
Elixir | programming | .ex .exs | | elixir
Erlang | programming | .erl .hrl .escript .app.src | rebar.config | escript
Gleam | programming | .gleam | |
Haskell | programming | .hs .hs-boot .hsc .lhs | | runghc runhaskell stack
OCaml | programming | .ml .mli .mll .mly | | ocaml
Elm | programming | .elm | |
PureScript | programming | .purs | |
Common Lisp | programming | .lisp .lsp .cl .asd | | sbcl clisp
Emacs Lisp | programming | .el .elc.src | .emacs |
Scheme | programming | .scm .ss .sld | | guile
Racket | programming | .rkt | | racket
Tcl | programming | .tcl .tm | | tclsh wish
Ada | programming | .adb .ads .ada | |
Pascal | programming | .pas .pp .dpr .lpr | | instantfpc
Fortran | programming | .f .for .f77 .f90 .f95 .f03 .f08 | |
COBOL | programming | .cob .cbl .cpy | |
ABAP | programming | .abap | |
PL/SQL | programming | .pls .plsql .pkb .pks | |
Apex | programming | .apex .trigger | |
Assembly | programming | .asm .s .nasm | |
Verilog | programming | .v .veo | |
SystemVerilog | programming | .sv .svh | |
VHDL | programming | .vhd .vhdl | |
Cuda | programming | .cu .cuh | |
OpenCL | programming | .opencl .clcpp | |
GLSL | programming | .glsl .vert .frag .geom .comp .tesc .tese | |
HLSL | programming | .hlsl .fx | |
WGSL | programming | .wgsl | |
Metal | programming | .metal | |
Solidity | programming | .sol | |
Shell | programming | .sh .bash .zsh .ksh .bats .ebuild | .bashrc .bash_profile .profile .zshrc PKGBUILD configure.ac | sh bash zsh dash ksh ash bats
Fish | programming | .fish | | fish
PowerShell | programming | .ps1 .psm1 .psd1 | | pwsh powershell
Batchfile | programming | .bat .cmd | |
Awk | programming | .awk .gawk | | awk gawk mawk
Makefile | programming | .mk .mak .make | Makefile GNUmakefile Kbuild makefile.am | make
CMake | programming | .cmake | CMakeLists.txt |
Meson | programming | | meson.build meson_options.txt |
Starlark | programming | .starlark | BUILD WORKSPACE Tiltfile |
Dockerfile | programming | .dockerfile .containerfile | Dockerfile Containerfile |
HCL | programming | .hcl .tf .tfvars .nomad | |
Nix | programming | .nix | |
Puppet | programming | .epp | |
Jsonnet | programming | .jsonnet .libsonnet | |
Just | programming | .just | justfile | just
Vim Script | programming | .vim | .vimrc vimrc |
SQL | data | .sql .ddl .dml .psql .mysql .prc | |
Protocol Buffer | data | .proto | |
GraphQL | data | .graphql .gql .graphqls | |
Vue | markup | .vue | |
Svelte | markup | .svelte | |
Astro | markup | .astro | |
HTML | markup | .html .htm .xhtml | |
Jinja | markup | .jinja .jinja2 .j2 | |
ERB | markup | .erb | |
Haml | markup | .haml | |
EJS | markup | .ejs | |
Handlebars | markup | .hbs .handlebars .mustache | |
Twig | markup | .twig | |
CSS | markup | .css .tcss | |
SCSS | markup | .scss | |
Sass | markup | .sass | |
Less | markup | .less | |
TeX | markup | .tex .sty .cls .ltx | |
Jupyter Notebook | markup | .ipynb | |
JSON | data | .json .jsonl .ndjson .geojson .webmanifest .json5 .jsonc | .babelrc .eslintrc .prettierrc composer.lock Pipfile.lock flake.lock |
YAML | data | .yml .yaml | .clang-format .clang-tidy pnpm-lock.yaml |
TOML | data | .toml | Cargo.lock poetry.lock uv.lock Pipfile |
XML | data | .xml .xsd .xsl .xslt .wsdl .svg .csproj .vbproj .fsproj .props .targets .plist .resx .xaml .ui .pom | |
INI | data | .ini .cfg .conf .properties .editorconfig .desktop .service | .editorconfig .gitconfig .npmrc .flake8 .pylintrc |
CSV | data | .csv .tsv | |
Diff | data | .diff .patch | |
Ignore List | data | .gitignore .dockerignore .npmignore | .gitignore .dockerignore .npmignore .eslintignore .prettierignore |
Git Attributes | data | .gitattributes | .gitattributes .gitmodules |
Go Module | data | | go.mod go.sum go.work |
Yarn Lock | data | | yarn.lock Gemfile.lock |
Text | prose | .txt .log | README LICENSE COPYING NOTICE AUTHORS CHANGELOG requirements.txt |
Markdown | prose | .md .markdown .mdx .mkd | |
reStructuredText | prose | .rst .rest | |
AsciiDoc | prose | .adoc .asciidoc .asc | |
Org | prose | .org | |
Gettext Catalog | prose | .po .pot | |
"""

BINARY = """
.png .jpg .jpeg .gif .ico .icns .webp .bmp .tif .tiff .psd .pdf .zip .gz .tgz .bz2 .xz .zst .7z .rar .tar .jar .war .ear
.class .so .dll .exe .dylib .o .obj .pyc .pyo .whl .egg .woff .woff2 .ttf .otf .eot .mp3 .mp4 .wav .ogg .avi .mov .webm
.sqlite .sqlite3 .wasm .parquet .npy .npz .pkl .pt .pth .safetensors .onnx .h5 .docx .xlsx .pptx
"""
"""Extensions of what is never text, and need not be read to know it."""
