"""Words that examples and documentation put where a secret would stand."""

FAKE_WORDS = """
abc abcd abcdef access account admin alice anonymous another any api apikey app application asdf aws azure bad bar basic
baz bearer blah bob broken carol cat change changeit changeme client code correct credential credentials custom data
database db deadbeef def default demo dev development dog dummy eggs elastic empty encoded encrypted enter env eve
example expired fake false first five fixme foo foobar four get ghi github gitlab global guest ham hash hello here
hidden horse host id incorrect initial insert invalid is it jkl jwt kafka key keys letmein local localhost login long
longer master me minio missing mock mongo monkey my mysql name new nil no none not null oauth oauth2 of old omitted
one only open openai opensesame optional or oracle other p4ssw0rd pa pa55w0rd pa55word pass passphrase passw0rd passwd
password passwords passwort plain please postgres postgresql private prod production pubkey public put pw pwd pwned
quux qux qwerty rabbitmq random raw real redacted redis refresh replace replaceme repo required root s3cr3t s3cret sa
sample second secret secrets secure seekrit sekret server service sesame session short signing some something spam sql
staging string strong stub super supersecret swordfish t0ken temp test tester testing testpass text that the their
third this three to todo token tokens true trustno two undefined unknown unset unused user username valid value very
weak webhook with word world wrong xxx xyz xyzzy you your yourself
"""

SENTENCE_WORDS = """
about account add admin after again all also and are ask auch avec been before both but can cannot change che choose
code con confirm contain contains contrasena current das database default del delete den der des did die does don een
ein eine email enter equal every example field fields file first for forgot from have here het ingrese invalid ist its
kein key las last leave les letters link login long los match matches min minimum mot must name need needed new nicht
non not note old only optional original our out para passwd password passwords passwort per please por pour previous
que random reset same schema second secret see sent set sets short should show sie specified string strong sua sur
test text that them then there these those token too type una und use used user username uses using valid value van
vom von was weak were what when where which who whose will without word words wrong you your zum zur
"""
"""Words that sentences about passwords hold, and passphrases hardly do; a few of other languages too."""
