"""Credentials from the Open Badges 3.0 specification's examples (1EdTech) as facts; each call gives a fresh one."""

from typing import Any

Json = dict[str, Any]

V2 = "https://www.w3.org/ns/credentials/v2"
OB = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
SCHEMAS = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json"


def basic() -> Json:
    """The specification's example "Sample OpenBadgeCredential"."""
    return {
        "@context": [V2, OB],
        "id": "http://example.com/credentials/3527",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": "https://example.com/issuers/876543", "type": ["Profile"], "name": "Example Corp"},
        "validFrom": "2010-01-01T00:00:00Z",
        "name": "Teamwork Badge",
        "credentialSubject": {
            "id": "did:example:ebfeb1f712ebc6f1c276e12ec21",
            "type": ["AchievementSubject"],
            "achievement": {
                "id": "https://example.com/achievements/21st-century-skills/teamwork",
                "type": ["Achievement"],
                "criteria": {"narrative": "Nominated by peers and recognized upon review by management."},
                "description": "The capacity to collaborate within a group environment.",
                "name": "Teamwork",
            },
        },
    }


def skill_assertion() -> Json:
    """The example "Skill Assertion (CASE)": VC Data Model 1.1, bare types, an alignment to a CASE item."""
    return {
        "@context": [
            "https://www.w3.org/2018/credentials/v1",
            "https://purl.imsglobal.org/spec/ob/v3p0/context.json",
            EXTENSIONS,
        ],
        "id": "http://1edtech.edu/credentials/3732",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Robot Programming Skill Credential",
        "description": "A badge recognizing the development of skills in robot implementation.",
        "credentialSubject": {
            "id": "did:example:ebfeb1f712ebc6f1c276e12ec21",
            "type": "AchievementSubject",
            "achievement": {
                "id": "https://example.com/achievements/robotics/robot-programming",
                "type": "Achievement",
                "alignment": [
                    {
                        "type": "Alignment",
                        "targetDescription": "Commands and procedures that robots use to respond to input.",
                        "targetName": "Robot Programming",
                        "targetFramework": "Example Robotics Framework",
                        "targetType": "CFItem",
                        "targetUrl": "https://robotics-competencies.example.com/competencies/robot-programming",
                    }
                ],
                "achievementType": "Competency",
                "creator": {
                    "id": "https://example.com/issuers/123767",
                    "type": "Profile",
                    "name": "Example Industry Group",
                    "url": "https://example.com",
                    "email": "info@example.com",
                },
                "criteria": {"narrative": "Learners must present source code."},
                "description": "Developing capability to develop software for robotic applications.",
                "image": {
                    "id": "https://example.com/achievements/robotics/robot-programming/image",
                    "type": "Image",
                    "caption": "A robot filled with ones and zeroes representing its programming",
                },
                "name": "Robot Programming",
            },
        },
        "evidence": [
            {
                "id": "https://github.com/somebody/project",
                "type": "Evidence",
                "name": "Final Project Code",
                "description": "It responds by saying 'beep' when the 'beep' button is pressed.",
            }
        ],
        "issuer": {
            "id": "https://1edtech.edu/issuers/565049",
            "type": "Profile",
            "name": "1EdTech University",
            "url": "https://1edtech.edu",
            "phone": "1-222-333-4444",
            "image": {"id": "https://1edtech.edu/logo.png", "type": "Image", "caption": "1EdTech University logo"},
        },
        "issuanceDate": "2022-07-01T00:00:00Z",
        "credentialSchema": [
            {"id": f"{SCHEMAS}/ob_v3p0_achievementcredential_schema.json", "type": "1EdTechJsonSchemaValidator2019"}
        ],
    }


def endorsement(number: int = 3732) -> Json:
    """An embedded endorsement as the complete example has five of."""
    return {
        "@context": [V2, OB, "https://w3id.org/security/data-integrity/v2"],
        "id": f"http://1edtech.edu/endorsementcredential/{number}",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": "SDE endorsement",
        "issuer": {
            "id": "https://accrediter.edu/issuers/565049",
            "type": ["Profile"],
            "name": "Example Accrediting Agency",
        },
        "validFrom": "2010-01-01T00:00:00Z",
        "validUntil": "2020-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "https://1edtech.edu/issuers/565049",
            "type": ["EndorsementSubject"],
            "endorsementComment": "1EdTech University is in good standing",
        },
        "credentialSchema": [
            {
                "id": f"{SCHEMAS}/ob_v3p0_endorsementcredential_schema.json",
                "type": "1EdTechJsonSchemaValidator2019",
            },
            {
                "id": "https://accrediter.edu/schema/endorsementcredential.json",
                "type": "1EdTechJsonSchemaValidator2019",
            },
        ],
        "credentialStatus": {
            "id": "https://1edtech.edu/credentials/3732/revocations",
            "type": "1EdTechRevocationList",
        },
        "refreshService": {"id": "http://1edtech.edu/credentials/3732", "type": "1EdTechCredentialRefresh"},
        "proof": [
            {
                "type": "DataIntegrityProof",
                "cryptosuite": "eddsa-rdf-2022",
                "created": "2022-05-26T18:17:08Z",
                "verificationMethod": "https://accrediter.edu/issuers/565049#zvPkQiUFfJrgnCRhyPkTSkgr",
                "proofPurpose": "assertionMethod",
                "proofValue": "zvPkQiUFfJrgnCRhyPkTSkgrGXbnLR15pHH5HZVYNdM4TCAwQHqG7fMeMP",
            }
        ],
    }


def university() -> Json:
    """The profile that issues in the complete example, and created its achievement."""
    return {
        "id": "https://1edtech.edu/issuers/565049",
        "type": ["Profile"],
        "name": "1EdTech University",
        "url": "https://1edtech.edu",
        "phone": "1-222-333-4444",
        "description": "1EdTech University provides online degree programs.",
        "endorsement": [endorsement()],
        "image": {"id": "https://1edtech.edu/logo.png", "type": "Image", "caption": "1EdTech University logo"},
        "email": "registrar@1edtech.edu",
        "address": {
            "type": ["Address"],
            "addressCountry": "USA",
            "addressCountryCode": "US",
            "addressRegion": "TX",
            "addressLocality": "Austin",
            "streetAddress": "123 First St",
            "postOfficeBoxNumber": "1",
            "postalCode": "12345",
            "geo": {"type": "GeoCoordinates", "latitude": 1.0, "longitude": 1.0},
        },
        "otherIdentifier": [
            {"type": "IdentifierEntry", "identifier": "12345", "identifierType": "sourcedId"},
            {"type": "IdentifierEntry", "identifier": "67890", "identifierType": "nationalIdentityNumber"},
        ],
        "official": "Horace Mann",
        "parentOrg": {"id": "did:example:123456789", "type": ["Profile"], "name": "Universal Universities"},
    }


def alignment(target_type: str = "CFItem") -> Json:
    return {
        "type": ["Alignment"],
        "targetCode": "project",
        "targetDescription": "Project description",
        "targetName": "Final Project",
        "targetFramework": "1EdTech University Program and Course Catalog",
        "targetType": target_type,
        "targetUrl": "https://1edtech.edu/catalog/degree/project",
    }


def degree() -> Json:
    """The achievement of the complete example."""
    return {
        "id": "https://1edtech.edu/achievements/degree",
        "type": ["Achievement"],
        "alignment": [alignment(), alignment("CTDL")],
        "achievementType": "Degree",
        "creator": university(),
        "creditsAvailable": 36.0,
        "criteria": {
            "id": "https://1edtech.edu/achievements/degree",
            "narrative": "# Degree Requirements\nStudents must complete...",
        },
        "description": "1EdTech University Degree Description",
        "endorsement": [endorsement(3734)],
        "fieldOfStudy": "Research",
        "humanCode": "R1",
        "image": {
            "id": "https://1edtech.edu/achievements/degree/image",
            "type": "Image",
            "caption": "1EdTech University Degree",
        },
        "name": "1EdTech University Degree",
        "otherIdentifier": [{"type": "IdentifierEntry", "identifier": "abde", "identifierType": "identifier"}],
        "resultDescription": [
            {
                "id": "urn:uuid:f6ab24cd-86e8-4eaf-b8c6-ded74e8fd41c",
                "type": ["ResultDescription"],
                "alignment": [alignment()],
                "allowedValue": ["D", "C", "B", "A"],
                "name": "Final Project Grade",
                "requiredValue": "C",
                "resultType": "LetterGrade",
            },
            {
                "id": "urn:uuid:a70ddc6a-4c4a-4bd8-8277-cb97c79f40c5",
                "type": ["ResultDescription"],
                "allowedValue": ["D", "C", "B", "A"],
                "name": "Final Project Grade",
                "requiredLevel": "urn:uuid:d05a0867-d0ad-4b03-bdb5-28fb5d2aab7a",
                "resultType": "RubricCriterionLevel",
                "rubricCriterionLevel": [
                    {
                        "id": "urn:uuid:d05a0867-d0ad-4b03-bdb5-28fb5d2aab7a",
                        "type": ["RubricCriterionLevel"],
                        "alignment": [alignment("CFRubricCriterionLevel")],
                        "description": "The author demonstrated...",
                        "level": "Mastered",
                        "name": "Mastery",
                        "points": "4",
                    }
                ],
            },
            {
                "id": "urn:uuid:b07c0387-f2d6-4b65-a3f4-f4e4302ea8f7",
                "type": ["ResultDescription"],
                "name": "Project Status",
                "resultType": "Status",
            },
        ],
        "specialization": "Computer Science Research",
        "tag": ["research", "computer science"],
    }


def complete() -> Json:
    """The example "Complete OpenBadgeCredential", with one of each repeated part."""
    graded = "urn:uuid:f6ab24cd-86e8-4eaf-b8c6-ded74e8fd41c"
    return {
        "@context": [V2, OB, EXTENSIONS],
        "id": "http://1edtech.edu/credentials/3732",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "1EdTech University Degree for Example Student",
        "description": "1EdTech University Degree Description",
        "image": {"id": "https://1edtech.edu/credentials/3732/image", "type": "Image", "caption": "1EdTech Degree"},
        "credentialSubject": {
            "id": "did:example:ebfeb1f712ebc6f1c276e12ec21",
            "type": ["AchievementSubject"],
            "activityEndDate": "2010-01-02T00:00:00Z",
            "activityStartDate": "2010-01-01T00:00:00Z",
            "creditsEarned": 42.0,
            "licenseNumber": "A-9320041",
            "role": "Major Domo",
            "source": {
                "id": "https://school.edu/issuers/201234",
                "type": ["Profile"],
                "name": "1EdTech College of Arts",
            },
            "term": "Fall",
            "identifier": [
                {
                    "type": "IdentityObject",
                    "identityHash": "student@1edtech.edu",
                    "identityType": "emailAddress",
                    "hashed": False,
                    "salt": "not-used",
                }
            ],
            "achievement": degree(),
            "image": {"id": "https://1edtech.edu/credentials/3732/image", "type": "Image"},
            "narrative": "There is a final project report and source code evidence.",
            "result": [
                {
                    "type": ["Result"],
                    "alignment": [alignment()],
                    "resultDescription": graded,
                    "value": "A",
                },
                {
                    "type": ["Result"],
                    "achievedLevel": "urn:uuid:d05a0867-d0ad-4b03-bdb5-28fb5d2aab7a",
                    "resultDescription": graded,
                },
                {"type": ["Result"], "resultDescription": graded, "status": "Completed"},
            ],
        },
        "endorsement": [endorsement(3735)],
        "evidence": [
            {
                "id": "https://1edtech.edu/credentials/3732/evidence/1",
                "type": ["Evidence"],
                "narrative": "# Final Project Report \n This project was ...",
                "name": "Final Project Report",
                "description": "This is the final project report.",
                "genre": "Research",
                "audience": "Department",
            }
        ],
        "issuer": university(),
        "validFrom": "2010-01-01T00:00:00Z",
        "validUntil": "2030-01-01T00:00:00Z",
        "credentialSchema": [
            {
                "id": f"{SCHEMAS}/ob_v3p0_achievementcredential_schema.json",
                "type": "1EdTechJsonSchemaValidator2019",
            }
        ],
        "credentialStatus": {
            "id": "https://1edtech.edu/credentials/3732/revocations",
            "type": "1EdTechRevocationList",
        },
        "refreshService": {"id": "http://1edtech.edu/credentials/3732", "type": "1EdTechCredentialRefresh"},
    }


def changed(document: Json, pointer: str, value: Any = ...) -> Json:
    """`document` with the value at the JSON pointer replaced, or without it where no value is given."""
    *path, last = pointer.lstrip("/").split("/")
    target: Any = document
    for step in path:
        target = target[int(step)] if isinstance(target, list) else target[step]
    key: Any = int(last) if isinstance(target, list) else last
    if value is ...:
        del target[key]
    else:
        target[key] = value
    return document
