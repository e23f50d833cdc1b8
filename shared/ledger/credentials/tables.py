"""The tables of Open Badges 3.0 (appendix B, data models; context 3.0.3) that the schema check reads.

A class is a name, `open` or `closed` (whether other members may stand beside the listed ones), and its properties:
name, kind, how many. A kind is a written form, a value list or another class. `1` and `0..1` are single values, `1..*`
and `0..*` are arrays even with one member. `!` after the count marks the properties that Open Badges inherits from the
VC Data Model: its `json` schema also takes one bare value there, its `json-ld` schema does not.
"""

from typing import Final

import msgspec


class Field(msgspec.Struct, frozen=True):
    """One row of a table. `bare`: one value without an array is taken too, unless the `json-ld` schema is claimed."""

    kind: str
    required: bool
    many: bool
    bare: bool


class Table(msgspec.Struct, frozen=True):
    """One class of the standard: its name, whether other members may stand beside the listed ones, and its rows."""

    name: str
    closed: bool
    fields: dict[str, Field]


_TABLES: Final = """
AchievementCredential open
    @context            Context 1..*
    id                  URI 1
    type                IRI 1..* !
    name                Label 0..1
    description         Label 0..1
    image               Image 0..1
    awardedDate         DateTimeZ 0..1
    credentialSubject   AchievementSubject 1
    endorsement         EndorsementCredential 0..*
    endorsementJwt      CompactJws 0..*
    evidence            Evidence 0..*
    issuer              Profile 1
    validFrom           DateTimeZ 1
    validUntil          DateTimeZ 0..1
    proof               Proof 0..* !
    credentialSchema    CredentialSchema 0..* !
    credentialStatus    CredentialStatus 0..1
    refreshService      RefreshService 0..1
    termsOfUse          TermsOfUse 0..* !
AchievementSubject open
    id                  URI 0..1
    type                IRI 1..* !
    activityEndDate     DateTime 0..1
    activityStartDate   DateTime 0..1
    creditsEarned       Number 0..1
    achievement         Achievement 1
    identifier          IdentityObject 0..*
    image               Image 0..1
    licenseNumber       String 0..1
    narrative           String 0..1
    result              Result 0..*
    role                String 0..1
    source              Profile 0..1
    term                String 0..1
Achievement open
    id                  URI 1
    type                IRI 1..* !
    alignment           Alignment 0..*
    achievementType     AchievementType 0..1
    creator             Profile 0..1
    creditsAvailable    Number 0..1
    criteria            Criteria 1
    description         String 1
    endorsement         EndorsementCredential 0..*
    endorsementJwt      CompactJws 0..*
    fieldOfStudy        String 0..1
    humanCode           String 0..1
    image               Image 0..1
    inLanguage          Language 0..1
    name                String 1
    otherIdentifier     IdentifierEntry 0..*
    related             Related 0..*
    resultDescription   ResultDescription 0..*
    specialization      String 0..1
    tag                 String 0..*
    version             String 0..1
Address closed
    type                IRI 1..* !
    addressCountry      String 0..1
    addressCountryCode  CountryCode 0..1
    addressRegion       String 0..1
    addressLocality     String 0..1
    streetAddress       String 0..1
    postOfficeBoxNumber String 0..1
    postalCode          String 0..1
    geo                 GeoCoordinates 0..1
Alignment open
    type                IRI 1..* !
    targetCode          String 0..1
    targetDescription   String 0..1
    targetName          String 1
    targetFramework     String 0..1
    targetType          AlignmentTargetType 0..1
    targetUrl           URI 1
CredentialSchema open
    id                  URI 1
    type                IRI 1
CredentialStatus open
    id                  URI 1
    type                IRI 1
Criteria open
    id                  URI 0..1
    narrative           String 0..1
EndorsementCredential open
    @context            Context 1..*
    id                  URI 1
    type                IRI 1..* !
    name                Label 1
    description         Label 0..1
    awardedDate         DateTimeZ 0..1
    credentialSubject   EndorsementSubject 1
    issuer              Profile 1
    validFrom           DateTimeZ 1
    validUntil          DateTimeZ 0..1
    proof               Proof 0..* !
    credentialSchema    CredentialSchema 0..* !
    credentialStatus    CredentialStatus 0..1
    refreshService      RefreshService 0..1
    termsOfUse          TermsOfUse 0..* !
EndorsementSubject closed
    id                  URI 1
    type                IRI 1..* !
    endorsementComment  String 0..1
Evidence open
    id                  URI 0..1
    type                IRI 1..* !
    narrative           String 0..1
    name                String 0..1
    description         String 0..1
    genre               String 0..1
    audience            String 0..1
GeoCoordinates closed
    type                IRI 1
    latitude            Number 1
    longitude           Number 1
IdentifierEntry closed
    type                IRI 1
    identifier          String 1
    identifierType      IdentifierType 1
IdentityObject closed
    type                IRI 1
    hashed              Boolean 1
    identityHash        String 1
    identityType        IdentifierType 1
    salt                String 0..1
Image closed
    id                  URI 1
    type                IRI 1
    caption             String 0..1
Profile open
    id                  URI 1
    type                IRI 1..* !
    name                Label 0..1
    url                 URI 0..1
    phone               String 0..1
    description         Label 0..1
    endorsement         EndorsementCredential 0..*
    endorsementJwt      CompactJws 0..*
    image               Image 0..1
    email               Email 0..1
    address             Address 0..1
    otherIdentifier     IdentifierEntry 0..*
    official            String 0..1
    parentOrg           Profile 0..1
    familyName          String 0..1
    givenName           String 0..1
    additionalName      String 0..1
    patronymicName      String 0..1
    honorificPrefix     String 0..1
    honorificSuffix     String 0..1
    familyNamePrefix    String 0..1
    dateOfBirth         Date 0..1
Proof open
    type                IRI 1
    created             DateTimeZ 0..1
    cryptosuite         String 0..1
    challenge           String 0..1
    nonce               String 0..1
    proofPurpose        String 0..1
    proofValue          String 0..1
    verificationMethod  URI 0..1
RefreshService open
    id                  URI 1
    type                IRI 1
Related closed
    id                  URI 1
    type                IRI 1..* !
    inLanguage          Language 0..1
    version             String 0..1
Result open
    type                IRI 1..* !
    achievedLevel       URI 0..1
    alignment           Alignment 0..*
    resultDescription   URI 0..1
    status              ResultStatus 0..1
    value               String 0..1
ResultDescription open
    id                  URI 1
    type                IRI 1..* !
    alignment           Alignment 0..*
    allowedValue        String 0..*
    name                String 1
    requiredLevel       URI 0..1
    requiredValue       String 0..1
    resultType          ResultType 1
    rubricCriterionLevel RubricCriterionLevel 0..*
    valueMax            String 0..1
    valueMin            String 0..1
RubricCriterionLevel open
    id                  URI 1
    type                IRI 1..* !
    alignment           Alignment 0..*
    description         String 0..1
    level               String 0..1
    name                String 1
    points              String 0..1
TermsOfUse open
    id                  URI 0..1
    type                IRI 1
"""

# Closed but for terms of the form `ext:Name`, save the result status, which has no extensions at all.
_VALUE_LISTS: Final = """
AchievementType
    Achievement ApprenticeshipCertificate Assessment Assignment AssociateDegree Award Badge BachelorDegree Certificate
    CertificateOfCompletion Certification CommunityService Competency Course CoCurricular Degree Diploma DoctoralDegree
    Fieldwork GeneralEducationDevelopment JourneymanCertificate LearningProgram License Membership MasterCertificate
    MasterDegree MicroCredential ProfessionalDoctorate QualityAssuranceCredential ResearchDoctorate
    SecondarySchoolDiploma
AlignmentTargetType
    ceasn:Competency ceterms:Credential CFItem CFRubric CFRubricCriterion CFRubricCriterionLevel CTDL
IdentifierType
    name sourcedId systemId productId userName accountId emailAddress nationalIdentityNumber isbn issn lisSourcedId
    oneRosterSourcedId sisSourcedId ltiContextId ltiDeploymentId ltiToolId ltiPlatformId ltiUserId identifier
ResultType
    GradePointAverage LetterGrade Percent PerformanceLevel PredictedScore RawScore Result RubricCriterion
    RubricCriterionLevel RubricScore ScaledScore Status
ResultStatus
    Completed Enrolled Failed InProgress OnHold Provisional Withdrew
"""
WITHOUT_EXTENSIONS: Final = frozenset({"ResultStatus"})


def _tables(text: str) -> dict[str, Table]:
    tables: dict[str, Table] = {}
    name = ""
    for line in text.strip().splitlines():
        words = line.split()
        if not line.startswith(" "):
            name = words[0]
            tables[name] = Table(name, words[1] == "closed", {})
        else:
            count = words[2]
            tables[name].fields[words[0]] = Field(words[1], count[0] == "1", count.endswith("*"), words[-1] == "!")
    return tables


def _value_lists(text: str) -> dict[str, frozenset[str]]:
    lists: dict[str, frozenset[str]] = {}
    name = ""
    for line in text.strip().splitlines():
        if line.startswith(" "):
            lists[name] = lists[name].union(line.split())
        else:
            name = line.strip()
            lists[name] = frozenset()
    return lists


def _as_read_in_1_1(table: Table) -> Table:
    """The same class under VC Data Model 1.1, where the two validity properties bear other names."""
    old = {"validFrom": "issuanceDate", "validUntil": "expirationDate"}
    return Table(table.name, table.closed, {old.get(name, name): field for name, field in table.fields.items()})


VALUE_LISTS: Final[dict[str, frozenset[str]]] = _value_lists(_VALUE_LISTS)
TABLES: Final[dict[str, Table]] = _tables(_TABLES)
TABLES_1_1: Final[dict[str, Table]] = TABLES | {
    name: _as_read_in_1_1(TABLES[name]) for name in ("AchievementCredential", "EndorsementCredential")
}
